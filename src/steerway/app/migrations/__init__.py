"""Migrations, area by area."""
