"""The dashboard of a service on a page: what its descriptor says, joined with what is chosen.

The definition is the catalog's, from the `dashboard` section in force; the choices of a variable
are values of labels in the telemetry store. Nothing is written.
"""
