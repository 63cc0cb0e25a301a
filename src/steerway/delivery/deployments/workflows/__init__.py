"""A deployment as durable work: the ground it stands on, its steps, its undoing, their order.

This is the one workflow that conducts other processes' workflows: it builds, places replicas
and points the router through theirs, so that each keeps its own outside system to itself.
"""
