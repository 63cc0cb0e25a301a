"""An analysis as lines of text, for a terminal that is looked at and for one that is read. Pure.

A line is made of pieces, each with the tone in which it is painted; an empty tone is plain.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from steerway.delivery.analyses.rules import telling
from steerway.delivery.analyses.rules.telling import Row

Line = tuple[tuple[str, str], ...]

BAR: Final = 20
MARKS: Final = {"done": ("✓", "good"), "now": ("▸", "info"), "todo": ("·", "idle")}
FAILED: Final = ("✗", "bad")
NAME: Final = 17
SHARE: Final = 10


def standing(found: Mapping[str, Any]) -> list[Line]:
    """Where it stands: the ladder, the answer and why, both versions beside each other."""
    known = telling.facts(found)
    said = telling.headline(known)
    rungs: list[tuple[str, str]] = []
    for rung in telling.ladder(known):
        mark, tone = MARKS.get(rung.mark, FAILED)
        rungs += [(f"{mark} ", tone), (f"{rung.percent:g} %   ", "")]
    answer: list[Line] = [tuple(rungs), ((said.words, said.tone),), ((said.why, ""),)]
    return answer + list(_table(found))


def _table(found: Mapping[str, Any]) -> Iterator[Line]:
    newest = found["points"][-1:]
    rows = telling.rows(newest[0]["metrics"]) if newest else []
    if rows:
        new, old = found["version"][:SHARE], found["stable_version"][:SHARE]
        head = f"{'':<{NAME}}{new:>{SHARE}}{old:>{SHARE}}   {'rollback':<{BAR + 9}}proof"
        yield ((head, "idle"),)
    for row in rows:
        yield _row(row)


def _row(row: Row) -> Line:
    filled = min(round(row.nearness * BAR), BAR)
    return (
        (f"{row.title:<{NAME}}", ""),
        (f"{share(row.new):>{SHARE}}{share(row.old):>{SHARE}}   ", ""),
        ("█" * filled, row.tone),
        ("·" * (BAR - filled), "idle"),
        (f" {100 * row.nearness:>3.0f} %   ", ""),
        (row.proof, "good" if row.is_passed else ""),
    )


def share(ratio: float | None) -> str:
    """A share in percent, with two digits behind the point."""
    return "-" if ratio is None else f"{100 * ratio:.2f} %"


def news(points: Sequence[Mapping[str, Any]], last: tuple[float, str]) -> list[tuple[Line, Any]]:
    """A line for each point at which the share or the answer is another than before.

    `last` is the share and the answer that were said last; each line comes with its own.
    """
    found: list[tuple[Line, Any]] = []
    for point in points:
        now = (point["percent"], point["answer"])
        if now != last:
            found.append((_moment(point), now))
            last = now
    return found


def _moment(point: Mapping[str, Any]) -> Line:
    errors = next((telling.row(one) for one in point["metrics"] if one["name"] == "errors"), None)
    beside = f" Errors {share(errors.new)}, stable {share(errors.old)}." if errors else ""
    return ((f"    {point['percent']:>4g} %  {point['reasons'][0]}{beside}", ""),)
