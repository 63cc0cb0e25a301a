"""What a trace is, how its spans hang together, and what is asked about them. Pure."""
