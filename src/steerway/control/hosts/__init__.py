"""Hosts: what the machines have left, and what runs on them.

Read from the telemetry store, where the host collector and other people's exporters of the same
names write; a host that was not heard of within the lookback of PromQL has no values rather than
old ones. Nothing is written here.
"""
