"""Services as they are: what is declared, what serves, and what is happening to it, side by side.

It has no records of its own. It joins what the catalog declares, what deployments made serve
and what reconciliation sees running. What nobody has seen is unknown, and never called good.
"""
