"""Databases as they are from outside: connections, locks, sizes, lag, slow statements.

What always holds: nobody waits for a lock because of a look, and no value of a statement leaves
the database, only its shape.

Looked at by: the collectors.
"""
