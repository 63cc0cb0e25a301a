"""Senders: what a replica needs to send its telemetry to Steerway with nothing configured.

It finds the standard environment of OpenTelemetry, unless its descriptor sets that itself, and a
token of its own. The token may write telemetry of its service and environment and nothing else,
is only ever stored sealed or as its hash, and ends with the replica.
Started by: deployments, when they start a replica.
"""
