"""The versions of the store's schema: steps forward, each safe to run twice."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from steerway.telemetry.store.store import Store
from steerway.telemetry.store.tables import TABLES, create

STEPS_TABLE: Final = """
CREATE TABLE IF NOT EXISTS schema_steps (step UInt32, name String, applied_at DateTime64(3, 'UTC'))
ENGINE = MergeTree ORDER BY step
"""
APPLIED: Final = "SELECT max(step) AS step FROM schema_steps"
NOTE: Final = "INSERT INTO schema_steps SELECT {step:UInt32}, {name:String}, now64(3)"


@dataclass(frozen=True, slots=True)
class Step:
    """One change of the schema. It adds, it never takes away, and it may run twice."""

    name: str
    statements: Callable[[], list[str]]


STEPS: Final = (Step("tables", lambda: [create(table) for table in TABLES]),)


def migrate(store: Store) -> None:
    """Apply the steps that are missing, and note each once it is whole."""
    store.execute(STEPS_TABLE)
    applied = store.table(APPLIED)["step"][0].as_py()
    for number, step in enumerate(STEPS[applied:], start=applied + 1):
        for statement in step.statements():
            store.execute(statement)
        store.execute(NOTE, {"step": number, "name": step.name})
