"""What is counted of flags. Pure."""
