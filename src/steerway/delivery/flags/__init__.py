"""Flags: what users see of a service, decided while it runs and not when it is deployed.

An exposure gives a variant to a share of users, a rollout does so step by step, and the switch
turns a flag off for everybody, which no hold stops. Each is a change of its own. Replicas find
the flags of their environment in a file, others ask at the OFREP endpoint; both are counted.
Started by: a person, a due step of a rollout, or a verdict on a variant.
"""
