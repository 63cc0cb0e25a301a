"""Follows files into the store: what replicas print, and the router's access log.

What always holds: each whole line is stored once, also when the server is killed at any moment,
because the place up to which a file was read is stored in the same insert as the lines; values of
secrets are masked before they are stored; a line that cannot be understood is kept as it is.
Started by the server.
"""
