"""What a page of metrics says, and how it becomes columns. Pure."""
