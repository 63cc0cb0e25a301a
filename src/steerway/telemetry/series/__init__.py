"""Which series there are and what was sampled: the store, read for queries.

`index.Index` knows the labels of the series of each metric that was asked for, and loads only
those that are new. `reading.Reading` is the source of samples of one query: the engine computes
what it can series by series (`rolling`), the rest is computed from samples.
"""
