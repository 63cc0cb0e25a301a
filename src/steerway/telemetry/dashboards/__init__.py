"""Dashboards: a page of panels that a service declares in its descriptor.

A definition has rows of panels and variables that their questions use. It is declared in the
`dashboard` section, so it is reviewed and rolled back with the service; nobody edits it on a page.
Dashboards of Grafana are translated once, by `steerway dashboard import`, which also says what it
left out. Nothing is stored here.
"""
