"""Keeps programs running: replicas of services, the router, and the server itself.

A program runs under supervisord, started by a small shim that applies its limits, opens its
log and its secrets, and then becomes it. What always holds: a program outlives the server
and supervisord; a supervisord that starts again adopts what still runs instead of starting
it twice; a program that keeps ending is started again ever more slowly, never given up, and
said to be in back-off; what is stopped leaves no process behind.

Started by deployments, by reconciliation, and by `steerway up` for the server.
"""
