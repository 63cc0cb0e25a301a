"""The sequential verdict.

`evalues` has the mathematics, `plans` the terms of a rollout, `terms` many plans as arrays,
`signals` turns what was seen into counts, `fleet` judges many rollouts at once, `verdicts` is what
comes out.
"""
