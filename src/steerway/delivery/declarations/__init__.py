"""Declarations: which flags a service has, and the document of what is in force of them.

A flag is defined in the service's flag file or in Steerway, never in both, and has an owner and
a last day. What is decided about it in an environment lies over its definition and is not lost
by applying the file again. Each environment's flags come together in one flagd document; a
variant that then reaches more or fewer users than before is recorded as a release.
Started by: applying a descriptor that names a flag file, or a person who makes a flag.
"""
