"""The collectors, and which of them are paused."""

from dataclasses import dataclass

from steerway.telemetry.collectors.models import PausedCollector
from steerway.telemetry.collectors.rules.board import Board, Looked
from steerway.telemetry.collectors.rules.kinds import KINDS


@dataclass(frozen=True, slots=True)
class Collector:
    """One collector, with its last looks."""

    name: str
    description: str
    paused: PausedCollector | None
    looks: list[Looked]


def all(board: Board) -> list[Collector]:
    """Every collector, in the order of their list. One query."""
    paused = {one.name: one for one in PausedCollector.objects.all()}
    looks: dict[str, list[Looked]] = {}
    for one in board.looks():
        looks.setdefault(one.collector, []).append(one)
    return [
        Collector(name, description, paused.get(name), looks.get(name, []))
        for name, description in KINDS.items()
    ]


def paused() -> frozenset[str]:
    """The names of those that are paused."""
    return frozenset(PausedCollector.objects.values_list("name", flat=True))
