"""Rollouts: a variant of a flag reaches more users step by step, at its time and without anybody.

A rollout is running, then done or stopped. At most one is running per flag and environment. A
step is taken once, in one transaction with what it does; whoever misses its time takes it later,
and the steps after it keep their distance.
Started by: a person, through a flag.
"""
