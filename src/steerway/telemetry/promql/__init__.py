"""Prometheus' query language: what an expression means.

The grammar is that of the library `promql-parser`; the meaning is Prometheus 3's: windows are open
on the left, names are dropped at the end of a query. Pure: samples come from a `Source`, which is
a store in production. `evaluation.evaluate` is the door.
"""
