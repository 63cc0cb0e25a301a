"""The store of the tests of telemetry, for peers of ours to be compared with."""

from tests.telemetry.conftest import engine, store, telemetry_home

__all__ = ["engine", "store", "telemetry_home"]
