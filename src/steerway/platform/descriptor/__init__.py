"""Descriptors: what should be true, written by the user in one YAML file.

A process declares its part as a `Section`. Everything else comes from that class: the rules,
the JSON Schema, the sentences of the errors, and where each value in force was written.
"""
