"""What the collectors look at, one file for each kind of thing."""
