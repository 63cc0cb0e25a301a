"""What is kept of telemetry, how long, and in how much room.

Every minute: windows of five minutes that have closed are rolled up, days that are past their time
are dropped, and what does not fit goes, the oldest first. Samples are never dropped before they are
rolled up, unless room is needed; then the log says so. Always holds: a round may be killed anywhere
and run again. Started by the server's worker; the engine and its tables are the store's.
"""
