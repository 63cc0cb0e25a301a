"""Migrations of one area."""
