"""Flags: what users see of a service, decided while it runs and not when it is deployed.

A service's flag file in flagd's format says which flags there are; what is decided in Steerway
(an exposure, a rollout in steps, the switch that turns a flag off) lies over the file, is a
change of its own, and is never lost by applying the file again. A flag is on or off in each
environment; a rollout is running, then done or stopped. Each environment's flags come together
in one document, which replicas, the OFREP endpoint and flagd read.
Started by: applying a descriptor, a person, a due step of a rollout, or a verdict on a variant.
"""
