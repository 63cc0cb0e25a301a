"""What a flag file says, what lies over it, and how it reads. Pure."""
