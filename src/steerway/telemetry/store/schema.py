"""The versions of the store's schema: steps forward, each safe to run twice."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from steerway.telemetry.store.layout import Layout
from steerway.telemetry.store.store import Store
from steerway.telemetry.store.tables import SCHEMA_STEPS, TABLES, create

APPLIED: Final = "SELECT max(step) AS step FROM schema_steps"
NOTE: Final = (
    "INSERT INTO schema_steps (step, name, applied_at) "
    "SELECT {step:UInt32}, {name:String}, now64(3)"
)


@dataclass(frozen=True, slots=True)
class Step:
    """One change of the schema. It adds and never takes away, and may run twice."""

    name: str
    statements: Callable[[Layout], list[str]]


def _tables(layout: Layout) -> list[str]:
    return [statement for table in TABLES for statement in create(table, layout)]


STEPS: Final = (Step("tables", _tables),)


def migrate(store: Store, steps: tuple[Step, ...] = STEPS) -> None:
    """Apply the steps that are missing, and note each once it is whole.

    Killed in the middle of one, the next start runs it again: its statements say IF NOT EXISTS.
    A store of a newer version is left as it is: what steps add does not trouble older code.
    """
    for statement in create(SCHEMA_STEPS, store.layout):
        store.execute(statement)
    applied = store.table(APPLIED)["step"][0].as_py()
    for number, step in enumerate(steps[applied:], start=applied + 1):
        for statement in step.statements(store.layout):
            store.execute(statement)
        store.execute(NOTE, {"step": number, "name": step.name})
