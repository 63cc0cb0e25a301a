"""Reading, checking and telling flag files. Pure."""
