"""Whether the bounds hold, cell by cell: what a claim rests on."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from canaries.outcome import Figures
from canaries.peers import DOCS, PEERS

OURS: Final = "Steerway"
CLEAN_MAX: Final = 0.001
DISTURBED_MAX: Final = 0.005
PEERS_MAX: Final = 0.01  # a peer that rolls back more good releases than this is no measure
DOCS_TIMES: Final = 20
SLOWER_AT_20: Final = 1.5

Key = tuple[str, float, float, str, str]  # policy, rate, errors, fault, disturbance
Found = Mapping[Key, Figures]
Chosen = Callable[[Found, str, tuple[float, float]], bool]


def report(found: Found) -> None:
    """Every bound with the worst cell; a line for each one that is broken."""
    print("\nBounds")
    for what, broken in (
        (f"clean: at most {CLEAN_MAX:.1%} of good releases rolled back", _false(found, "")),
        (f"disturbed: at most {DISTURBED_MAX:.1%}", _false(found, "disturbed")),
        ("no such peer has fewer failed requests at 50 % and 100 %", _failed(found)),
        (f"documented defaults have {DOCS_TIMES} times more, or never act", _docs(found)),
        ("a good release is first at 100 %, within 1.5 of the first at 20/s", _first(found)),
    ):
        lines = list(broken)
        print(f"  {'BROKEN' if lines else 'holds '}  {what}")
        for one in lines:
            print(f"          {one}")


def _false(found: Found, kind: str) -> Iterator[str]:
    limit = DISTURBED_MAX if kind else CLEAN_MAX
    for (policy, rate, base, fault, odd), one in found.items():
        is_mine = policy == OURS and fault == "none" and bool(odd) == bool(kind)
        if is_mine and one.rolled_back > limit:
            yield f"{rate:,.0f}/s {base:.1%} {odd}: {one.rolled_back:.2%}"


def _failed(found: Found) -> Iterator[str]:
    for peer, place, fault, mine, theirs in _compared(found, _fair):
        if theirs.rolled_back > 0.5 and theirs.failed < mine.failed:
            yield f"{place} {fault}: {peer} {theirs.failed:.1f}, Steerway {mine.failed:.1f}"


def _docs(found: Found) -> Iterator[str]:
    for peer, place, fault, mine, theirs in _compared(found, lambda _, peer, __: peer in DOCS):
        if theirs.rolled_back > 0.5 and theirs.failed < DOCS_TIMES * mine.failed:
            yield f"{place} {fault}: {peer} {theirs.failed / mine.failed:.1f} times"


def _first(found: Found) -> Iterator[str]:
    for (policy, rate, base, fault, odd), mine in found.items():
        if policy != OURS or fault != "none" or odd:
            continue
        for peer in PEERS:
            theirs = found[peer, rate, base, "none", ""]
            slack = SLOWER_AT_20 if rate == 20 else 1.0
            if _fair(found, peer, (rate, base)) and mine.promoted >= slack * theirs.promoted:
                times = f"{peer} {theirs.promoted:.0f} s, {mine.promoted:.0f} s"
                yield f"{rate:,.0f}/s {base:.1%}: {times}"


def _fair(found: Found, peer: str, place: tuple[float, float]) -> bool:
    return found[peer, *place, "none", ""].rolled_back <= PEERS_MAX


def _compared(found: Found, chosen: Chosen) -> Iterator[tuple[str, str, str, Figures, Figures]]:
    for (policy, rate, base, fault, _), theirs in found.items():
        is_grave = policy in PEERS and fault in {"50 % errors", "100 % errors"}
        if is_grave and chosen(found, policy, (rate, base)):
            mine = found[OURS, rate, base, fault, ""]
            yield policy, f"{rate:,.0f}/s {base:.1%}", fault, mine, theirs
