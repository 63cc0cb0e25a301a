"""Git, as it is installed on this machine."""
