"""Traffic as it is now: requests a second and the share that failed, by version.

Every second the router is asked how many requests it has answered; the last five minutes are
kept in the memory of the server that asks, and nowhere else. It is for looking on while something
changes: telemetry keeps history, and verdicts are made from that, not from this. A second in
which the router was not asked, or did not answer, is a gap and not a zero.

Started by: the server, for as long as it runs.
"""
