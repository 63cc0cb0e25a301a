"""What changes and holds are called."""

import pytest

from steerway.planning.changes.rules import change_ref, hold_ref
from steerway.platform.numbers.rules import number_of


@pytest.mark.parametrize(
    ("ref", "number"),
    [
        ("CHG-12", 12),
        ("chg-12", 12),
        ("12", 12),
        ("HLD-7", 7),
        ("", 0),
        ("CHG-", 0),
        ("CHG-x", 0),
        ("-1", 1),
        ("1.5", 0),
        ("CHG-" + "9" * 18, 999_999_999_999_999_999),
        ("CHG-" + "9" * 19, 0),
    ],
)
def test_a_name_or_a_number_leads_to_the_number(ref: str, number: int) -> None:
    assert number_of(ref) == number


def test_names_lead_back() -> None:
    assert number_of(change_ref(3)) == number_of(hold_ref(3)) == 3
