"""Steerway operates a team's software: it plans, delivers and controls from one descriptor."""

__version__ = "0.1.0"
