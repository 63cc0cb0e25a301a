"""Functions over samples of time: what a counter grew by, what a gauge did, within a window.

A `Windows` says for each series and moment which samples it sees; a function makes a number of
them, for all windows at once. Pure, like `vectors`, which these are made for.
"""
