"""Collectors: what Steerway measures by itself, so that no exporter has to be installed.

Each looks at one layer at its own interval: hosts, processes, the router, databases, suppliers,
certificates, pages of metrics, and Steerway. Series have the names that the exporters of
Prometheus give them. What always holds: one that fails or hangs stops no other, and is said to
fail once a minute; a look that is still going on when the next is due is not piled up on; a
collector that is paused ends its series, so that nobody takes old values for new ones.

Started by: the server, for as long as it runs.
"""
