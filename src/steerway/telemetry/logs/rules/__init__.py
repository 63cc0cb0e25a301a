"""What a line is, what is asked about lines, and how answers are cut into pages. Pure."""
