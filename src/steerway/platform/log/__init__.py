"""The event log: what happened, append-only, each entry chained to the one before by its hash.

An entry is written in the transaction of the record it describes. The head row holds the
number and hash of the newest entry, so that a cut-off end is seen as well as a changed
middle. Entries are never changed or removed. Started by: every action, through `work.record`.
"""
