"""Flag files: what a service's flag file in flagd's format says, whether it can be used, in words.

A file is read with the place of each value, so that every mistake is told at once, with line and
column. A flag without an owner and a last day is a mistake.
Started by: planning and applying a descriptor that names one.
"""
