"""Canaries: a new version earns its traffic, step by step, beside the version that serves.

Every second the new version is compared with the stable one on errors, latency, health and what
the descriptor names. The answer is better or equal, worse, or not enough data; evidence adds up
over the whole rollout, and a good release is rolled back with a chance of at most `alpha` in all.
What each second showed is stored, so that a person sees how close to which boundary every metric
was, and a judgement cut short by a crash goes on from its record.
Started by: a deployment whose release section asks for a canary.
"""
