"""The directory of releases on this machine."""
