"""What is looked at when, and what is made of it. Pure."""
