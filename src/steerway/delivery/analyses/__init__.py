"""Analyses: how much of the traffic a new version has earned, second by second.

An analysis belongs to one deployment: it stands at a step (a share of the traffic), is watched,
and ends promoted, rolled back or stopped. People may pause it, let it pass a gate, promote it or
stop it; whatever it does by itself has a reason in the log, and what it saw is kept to be drawn.
The judgement itself is in `canaries`; this is what carries it out, also over a crash.
Started by: a deployment whose strategy is canary, or blue-green with a bake.
"""
