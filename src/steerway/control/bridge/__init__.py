"""The bridge: what needs somebody now, and how everything is at a glance.

It has no records of its own. Calm is an answer: when nothing needs anybody, it says so.
"""
