"""The catalog: which services there are, who owns them, and what they declare per environment.

A service enters the catalog when its descriptor is applied, and changes only that way: active,
until it is retired. Applying what is already in force changes nothing and records nothing. A
paused service keeps running, but nothing is repaired or started for it until it is resumed.
Started by: `steerway apply`, `pause` and `resume`.
"""
