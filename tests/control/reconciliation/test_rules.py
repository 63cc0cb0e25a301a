"""What is the matter with a program, by what is wanted and what is seen."""

import pytest

from steerway.control.reconciliation.rules import Finding, compare


@pytest.mark.parametrize(
    ("wanted", "known", "started", "finding"),
    [
        (True, True, True, Finding.AS_WANTED),
        (True, True, False, Finding.ASLEEP),
        (True, False, False, Finding.MISSING),
        (False, True, True, Finding.SURPLUS),
        (False, True, False, Finding.AS_WANTED),
        (False, False, False, Finding.AS_WANTED),
    ],
)
def test_what_is_seen_is_compared_with_what_is_wanted(
    *, wanted: bool, known: bool, started: bool, finding: Finding
) -> None:
    assert compare(wanted=wanted, known=known, started=started) is finding
