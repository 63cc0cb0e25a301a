"""The tables of this area, process by process."""
