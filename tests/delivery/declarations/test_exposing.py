"""Shares: what a rollout moves, and what it leaves."""

from typing import Any

import pytest

from steerway.delivery.declarations.errors import RestUnclear
from steerway.delivery.declarations.rules.exposing import (
    Exposure,
    exposed,
    main_variant,
    off_variant,
    share,
    turned_off,
)
from steerway.delivery.variants.rules.flagsets import compiled

CONDITION = {"==": [{"var": "plan"}, "pro"]}
KEY = {"var": "company"}
USERS = [f"user-{number}" for number in range(1000)]


def flag(rule: Any = None, **more: Any) -> dict[str, Any]:
    found = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}
    return found | ({} if rule is None else {"targeting": rule}) | more


def moved(rule: Any, percent: float = 30) -> Any:
    return exposed("it", flag(rule), Exposure("on", "off", percent))["targeting"]


THIRTY = {"fractional": [["on", 3000], ["off", 7000]]}


@pytest.mark.parametrize(
    ("rule", "after"),
    [
        (None, THIRTY),
        ({"fractional": [["on", 10], ["off", 90]]}, THIRTY),
        ({"fractional": [["off", 90], ["on", 10]]}, {"fractional": [["off", 7000], ["on", 3000]]}),
        ({"fractional": [KEY, ["on", 1]]}, {"fractional": [KEY, ["on", 3000], ["off", 7000]]}),
        ({"if": [CONDITION, "on", "off"]}, {"if": [CONDITION, "on", THIRTY]}),
        ({"if": [CONDITION, "on"]}, {"if": [CONDITION, "on", THIRTY]}),
        ({"if": [CONDITION, "on", None]}, {"if": [CONDITION, "on", THIRTY]}),
        (
            {"if": [CONDITION, "on", {"if": [CONDITION, "off", {"fractional": [["on", 1]]}]}]},
            {"if": [CONDITION, "on", {"if": [CONDITION, "off", THIRTY]}]},
        ),
    ],
)
def test_only_the_rest_is_moved(rule: Any, after: Any) -> None:
    assert moved(rule) == after


@pytest.mark.parametrize(
    "rule",
    [
        {"starts_with": [{"var": "a"}, "b"]},
        {"fractional": [["on", 1], ["other", 1]]},
        {"fractional": [["on", 1], ["off", 1], ["on", 1]]},
        {"fractional": [[{"var": "colour"}, 1]]},
        {"if": [CONDITION, "on", {"var": "x"}]},
    ],
)
def test_a_rule_without_one_rest_is_not_moved(rule: Any) -> None:
    with pytest.raises(RestUnclear):
        moved(rule)


@pytest.mark.parametrize("order", [["on", "off"], ["off", "on"]])
def test_who_has_it_keeps_it_while_the_share_grows(order: list[str]) -> None:
    rule = {"fractional": [[name, 1] for name in order]}
    sets = [
        compiled({"flags": {"it": flag(moved(rule, percent))}}, now=lambda: 0)
        for percent in (0, 0.5, 10, 33.33, 99.99, 100)
    ]

    for user in USERS:
        has = [bool(one.evaluate("it", {"targetingKey": user}).value) for one in sets]
        assert has == sorted(has)
        assert (has[0], has[-1]) == (False, True)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (flag(), 0.0), (flag(defaultVariant="on"), 100.0), (flag(state="DISABLED"), 0.0),
        (flag({"if": [CONDITION, "off", "on"]}), 100.0), (flag({"if": [CONDITION, "on"]}), 0.0),
        (flag({"fractional": [["on", 1], ["off", 2]]}), 33.33),
        (flag({"fractional": [["on"]]}), 100.0),
        (flag({"fractional": [["on", 0]]}), None), (flag({"var": "x"}), None),
        (flag({"fractional": [["on", {"var": "n"}]]}), None),
        (flag({"if": [CONDITION, "on", {"var": "x"}]}), None),
    ],
)  # fmt: skip
def test_the_share_is_what_the_rest_has(written: dict[str, Any], expected: float | None) -> None:
    assert share(written, "on") == expected


@pytest.mark.parametrize(
    ("variants", "default", "metadata", "off", "main"),
    [
        ({"on": True, "off": False}, "on", {}, "off", "on"),
        ({"yes": True, "no": False}, None, {}, "no", "yes"),
        ({"blue": "b", "control": "c"}, "blue", {}, "control", "blue"),
        ({"a": 1, "b": 2}, "b", {}, "b", "a"),
        ({"a": 1, "b": 2}, "b", {"off": "a"}, "a", "b"),
        ({"a": 1, "b": 2}, None, {}, None, "a"),
    ],
)
def test_off_is_found(
    variants: Any, default: str | None, metadata: Any, off: str | None, main: str
) -> None:
    written = {"variants": variants, "defaultVariant": default, "metadata": metadata}

    assert (off_variant(written), main_variant(written)) == (off, main)


def test_what_is_turned_off_has_no_rule_or_is_disabled() -> None:
    assert turned_off(flag({"var": "x"}, defaultVariant="on")) == flag()
    assert turned_off({"variants": {"a": 1}, "targeting": {}})["state"] == "DISABLED"
