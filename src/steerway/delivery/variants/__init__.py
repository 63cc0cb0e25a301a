"""Variants: how a flag file in flagd's format becomes one variant for one context. Pure.

A file is compiled once, each flag into closures; an evaluation then calls a few of them. It
raises for no context: what cannot be decided is an outcome with an error. Evaluations in a
service's own process, at the OFREP endpoint and on pages are all made here.
Started by: whoever evaluates a flag. It stands on nothing of Steerway, so services import it.
"""
