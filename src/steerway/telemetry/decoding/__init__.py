"""Decoding: OTLP's metrics, logs and spans, as columns of the telemetry tables. Pure.

Knows the messages of OTLP and of Prometheus remote write, and how Prometheus names things. A part
that is repeated stays bytes until it is seen to be new.
"""
