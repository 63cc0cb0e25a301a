"""How a service does, as seen from outside and inside: traffic, errors, latency, saturation.

Charts ask the metrics API from the page; what is below them, the server writes: the most asked
endpoints, the slowest requests and the last lines with errors. All of it follows the time range of
the page and is read from the telemetry store; nothing here decides or writes anything. The moments
at which deployments took over are markers on every chart.
"""
