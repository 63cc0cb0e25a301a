"""The sequential verdict, pure.

`evalues` has the mathematics, `plans` the terms of a rollout, `signals` turns what was seen into
counts, `fleet` judges many rollouts at once, `judging` one, `words` says why.
"""
