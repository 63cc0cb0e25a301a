"""What a line says, which lines belong together, and how far a file was read. Pure."""
