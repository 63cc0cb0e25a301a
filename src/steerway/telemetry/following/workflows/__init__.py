"""Following files into the store."""
