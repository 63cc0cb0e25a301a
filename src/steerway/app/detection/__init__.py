"""A first descriptor from what a directory holds: pure functions from files to text."""
