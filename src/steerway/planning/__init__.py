"""Decides what may change: the services, their environments, and the changes to them."""
