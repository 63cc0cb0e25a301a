"""Coverage: which layer of a service is seen by which signal, and since when one is not.

A cell is fresh, quiet, stale, never seen, or not expected. What always holds: a cell whose source
has been silent for longer than the limit is not fresh, whatever was seen before; one that has
nothing to say because nothing happens is quiet and not stale; every turn to stale and back is in
the log, within bounds.

Looked at by: the server, again and again; by people, on the page of a service.
"""
