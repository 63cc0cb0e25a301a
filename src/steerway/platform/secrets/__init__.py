"""Secrets of services: kept sealed, given to replicas at start, never shown again.

A secret has a name, a service, and an environment, or none for all of them. What is stored is
sealed with a key that is not in the database. No page, answer, event or log holds a value.
Started by: people (`secret set`), and runtimes, which ask for the sealed texts and unseal them
in the process that starts a replica.
"""
