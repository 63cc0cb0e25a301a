"""One file for each kind of database."""
