"""Commands that belong to the whole, not to one process."""
