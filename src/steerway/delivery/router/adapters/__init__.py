"""Envoy: its files, its admin socket, its start."""
