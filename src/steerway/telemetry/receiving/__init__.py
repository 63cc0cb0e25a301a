"""Receiving: what stock clients send, OTLP over HTTP and Prometheus remote write, decoded.

A request is unpacked within bounds, decoded, and given to the intake; it is answered once it is
stored. Names follow Prometheus. Always holds: a body that is damaged, too large or too deep is
refused and harms nothing; what of a request was refused is in its answer, with the reason.

Started by: the doors of the server, for each request.
"""
