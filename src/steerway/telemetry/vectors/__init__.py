"""Numbers over time, by labels: what queries are computed with.

A `Vector` is a matrix: a row for each series, a column for each moment of a grid. Labels are kept
by column too, as numbers that stand for strings, so that grouping and matching of many thousand
series are a few operations on arrays. Pure: it knows neither a store nor a language.
"""
