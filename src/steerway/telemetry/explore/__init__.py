"""Looking for what is not on any page yet: metrics by PromQL, lines of logs, traces, and the map.

Everything that was asked is in the address, so that what somebody found can be sent to somebody
else. Each part of a page is read from the telemetry store by itself, within limits, and says so in
its place when the store cannot answer. Nothing is written.
"""
