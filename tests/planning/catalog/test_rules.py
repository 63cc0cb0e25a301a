"""What is different between two descriptors."""

import pytest

from steerway.planning.catalog.rules import Difference, Effect, Written, diff, effects

FILE = "steerway.yaml"


def written(**values: object) -> dict[str, Written]:
    return {path: Written(value=value, shown=str(value)) for path, value in values.items()}


def test_equal_values_are_no_difference() -> None:
    assert diff(written(a=1, b=[1]), written(b=[1], a=1), lines={}, file=FILE) == []


def test_differences_come_in_the_order_of_the_file_and_what_is_gone_last() -> None:
    old, new = written(a=1, b=2, gone=3), written(c=4, b=2, a=5)

    found = diff(old, new, lines={"c": 9, "b": 2, "a": 3}, file=FILE)

    assert found == [
        Difference("a", "1", "5", FILE, 3),
        Difference("c", None, "4", FILE, 9),
        Difference("gone", "3", None, FILE, None),
    ]
    assert [str(one) for one in found] == [
        "~ a: 1 -> 5  (steerway.yaml:3)",
        "+ c: 4  (steerway.yaml:9)",
        "- gone: 3",
    ]


def test_a_hidden_value_that_changes_is_a_difference_that_shows_nothing() -> None:
    old = {"run.environment.API_KEY": Written(value="one", shown="(hidden)")}
    new = {"run.environment.API_KEY": Written(value="two", shown="(hidden)")}

    (found,) = diff(old, new, lines={}, file=FILE)

    assert (found.old, found.new) == ("(hidden)", "(hidden)")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({}, {"production": "1"}, {"production": Effect.NEW}),
        ({"production": "1"}, {"production": "1"}, {"production": Effect.SAME}),
        ({"production": "1"}, {"production": "2"}, {"production": Effect.CHANGED}),
        (
            {"old": "1", "production": "1"},
            {"testing": "1", "production": "1"},
            {"testing": Effect.NEW, "production": Effect.SAME, "old": Effect.REMOVED},
        ),
    ],
)
def test_each_environment_is_new_changed_the_same_or_removed(
    old: dict[str, str], new: dict[str, str], expected: dict[str, Effect]
) -> None:
    assert effects(old, new) == expected
