"""A coffee shop: a catalog, orders, and a checkout that never sells the same cart twice."""

VERSION = "v1"
