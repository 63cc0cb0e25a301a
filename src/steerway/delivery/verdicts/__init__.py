"""Verdicts: whether one version is worse than another beside it, known at any moment.

Pure: counts of both versions go in, once a second, and an answer comes out: better or equal,
worse, or not enough data. Evidence adds up over the whole time somebody looks, and what is within
its margins is called worse with a chance of at most `alpha` in all. Canaries and flags are judged
by it; nothing is stored here, and nobody starts it.
"""
