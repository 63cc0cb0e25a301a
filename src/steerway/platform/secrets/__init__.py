"""Secrets of services: kept sealed, opened only in the moment a program starts."""
