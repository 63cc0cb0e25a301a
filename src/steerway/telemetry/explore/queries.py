"""What one look at logs and traces needs, joined."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from steerway.telemetry.logs import queries as logs
from steerway.telemetry.logs.rules.search import Facet, Filter, Histogram, Page
from steerway.telemetry.store import Limits, Store

LIMITS: Final = Limits(seconds=10, memory_bytes=300 * 1024 * 1024, rows_max=20_000)
FACETS_SHOWN: Final = 12
VALUES_SHOWN: Final = 8
VALUE_LENGTH_MAX: Final = 120
MEASURED: Final = re.compile(r"-?\d*\.\d+(e-?\d+)?|\d{4,}|[0-9a-f-]{16,}")


@dataclass(frozen=True, slots=True)
class Choices:
    """The values of a field among what was found, most first."""

    name: str
    values: tuple[tuple[str, int], ...]


def page(store: Store, asked: Filter, *, after: str, rows: int) -> Page:
    """The newest lines that match. Raises: as `logs.queries.search`."""
    return logs.search(store, asked, after=after, rows=rows, limits=LIMITS)


def histogram(store: Store, asked: Filter) -> Histogram:
    """How many lines match, over time. Raises: as `logs.queries.search`."""
    return logs.histogram(store, asked, limits=LIMITS)


def choices(store: Store, asked: Filter, words: Mapping[str, str]) -> list[Choices]:
    """What the search could be narrowed by: fields of `words` first, then attributes.

    Shape: a field of one value narrows nothing, and one whose values are all different, as an
    id, is no choice: both are left out.
    """
    found = logs.facets(store, asked, limits=LIMITS)
    wanted = [one for one in found if one.name in words or _is_choice(one, words)]
    return [
        Choices(
            words.get(one.name, one.name.removeprefix("attributes.")),
            tuple((v, n) for v, n in one.values if v and len(v) <= VALUE_LENGTH_MAX)[:VALUES_SHOWN],
        )
        for one in wanted
        if len(one.values) > 1 and one.values[0][1] > 1
    ][:FACETS_SHOWN]


def _is_choice(facet: Facet, words: Mapping[str, str]) -> bool:
    """Whether an attribute is neither a field told twice, nor a measured number, nor an id."""
    name = facet.name.removeprefix("attributes.")
    is_measured = all(MEASURED.fullmatch(value) for value, _ in facet.values)
    return name != facet.name and name not in words and not is_measured
