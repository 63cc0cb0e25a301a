"""Lines that programs print, requests that the router answers, and finding them again.

Followed files: what every replica prints, and the router's access log. What always holds: each
whole line is stored once, also when the server is killed at any moment, because the place up to
which a file was read is stored in the same insert as the lines; values of secrets are masked
before they are stored; a line that cannot be understood is kept as it is. Search reads the store
newest first, in bounded pages. Started by the server.
"""
