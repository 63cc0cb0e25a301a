"""Ingest: takes metrics, logs and traces in, checks them, and has them stored.

One `Intake` per server. What it is given waits in queues that are bounded in bytes, and is
written in batches: a second later, two where much comes, at once when a sender waits for it.
Always holds: what a sender was told is stored survives a kill of this process; a sample that is
sent twice counts once; a service has at most as many series as it may, and is told which label
has too many values; what is refused is counted, with its reason.

Started by: the server. Fed by: the doors for OTLP and Prometheus remote write, the collectors.
"""
