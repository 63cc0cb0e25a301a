"""Writing flags: declaring them, deciding over them, and publishing what is in force."""
