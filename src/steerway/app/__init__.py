"""Puts it together: the web app, the command line, the worker. Nothing imports it."""
