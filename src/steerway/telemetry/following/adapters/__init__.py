"""Files that grow, are cut and are replaced while they are read."""
