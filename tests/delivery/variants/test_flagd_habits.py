"""The promises of flagd's own conformance suite, said again as tables."""

from typing import Any

import pytest

from steerway.delivery.variants.rules.flagsets import ErrorCode, Reason, compiled
from tests.delivery.variants.samples import AT, flag, flags, outcome

BALLMER = "ballmer@macrosoft.com"
MAIL = {"==": [BALLMER, {"var": ["email"]}]}
SUITS = [["clubs", 25], ["diamonds", 25], ["hearts", 25], ["spades", 25]]
CARDS = ("clubs", "diamonds", "hearts", "spades", "wild")
BY_NAME = {"cat": [{"var": "$flagd.flagKey"}, {"var": "user.name"}]}
BUCKETS = [f"bucket{n}" for n in range(1, 26)]
VERSION = {
    "if": [
        {"sem_ver": [{"var": "version"}, "=", "2.0.0"]}, "equal",
        {"if": [
            {"sem_ver": [{"var": "version"}, ">", "2.0.0"]}, "greater",
            {"if": [{"sem_ver": [{"var": "version"}, "<", "2.0.0"]}, "lesser", "none"]},
        ]},
    ]
}  # fmt: skip


@pytest.mark.parametrize(
    "value", [True, False, "hi", "", 10, 0, 0.5, 0.0, {}, {"a": [1]}, [1, 2], None]
)
def test_a_flag_without_rules_is_static_whatever_its_value(value: Any) -> None:
    found = compiled(
        {"flags": {"it": {"state": "ENABLED", "variants": {"v": value}, "defaultVariant": "v"}}},
        now=lambda: AT,
    ).evaluate("it", {})

    assert (found.reason, found.variant, found.value) == (Reason.STATIC, "v", value)


@pytest.mark.parametrize(
    ("written", "reason", "error"),
    [
        ({"state": "DISABLED"}, Reason.DISABLED, None),
        ({"defaultVariant": None}, Reason.DEFAULT, None),
        ({"defaultVariant": ""}, Reason.DEFAULT, None),
        ({"defaultVariant": "gone"}, Reason.ERROR, ErrorCode.GENERAL),
    ],
)
def test_the_caller_s_default_holds_where_no_variant_does(
    written: Any, reason: Reason, error: ErrorCode | None
) -> None:
    found = flags(it=flag() | written).evaluate("it", {})

    assert (found.reason, found.variant, found.error) == (reason, None, error)


def test_an_unknown_flag_is_not_found() -> None:
    assert flags().evaluate("gone", {}).error is ErrorCode.FLAG_NOT_FOUND


@pytest.mark.parametrize(
    ("email", "otherwise", "variant", "reason"),
    [
        (BALLMER, "off", "on", Reason.TARGETING_MATCH),
        ("x@y.z", "off", "off", Reason.TARGETING_MATCH),
        ("x@y.z", None, "wild", Reason.DEFAULT),
        (BALLMER, None, "on", Reason.TARGETING_MATCH),
        (None, None, "wild", Reason.DEFAULT),
    ],
)
def test_what_no_rule_matches_has_the_default(
    email: str | None, otherwise: str | None, variant: str, reason: Reason
) -> None:
    rule = {"if": [MAIL, "on", otherwise]}

    found = outcome(rule, {"email": email}, "on", "off", "wild", default="wild")

    assert (found.variant, found.reason) == (variant, reason)


def test_an_evaluator_is_shared_and_an_unknown_one_is_a_parse_error() -> None:
    rules = {"hit": {"if": [{"$ref": "is_ballmer"}, "on", "off"]}, "miss": {"$ref": "gone"}}
    found = compiled(
        {"flags": {k: flag(v) for k, v in rules.items()}, "$evaluators": {"is_ballmer": MAIL}},
        now=lambda: AT,
    )

    assert found.evaluate("hit", {"email": BALLMER}).variant == "on"
    assert found.evaluate("hit", {"email": "x"}).variant == "off"
    assert found.evaluate("miss", {}).error is ErrorCode.PARSE_ERROR


def test_an_evaluator_that_stands_for_itself_is_a_parse_error() -> None:
    evaluators = {"a": {"!": {"$ref": "b"}}, "b": {"!": {"$ref": "a"}}}
    document = {"flags": {"it": flag({"$ref": "a"})}, "$evaluators": evaluators}

    assert compiled(document, now=lambda: AT).evaluate("it", {}).error is ErrorCode.PARSE_ERROR


@pytest.mark.parametrize(
    ("name", "variant"),
    [("jack", "diamonds"), ("queen", "diamonds"), ("ten", "clubs"), ("nine", "clubs"),
     ("3", "spades")],
)  # fmt: skip
def test_users_have_flagd_s_share(name: str, variant: str) -> None:
    rule = {"fractional": [BY_NAME, *SUITS]}
    found = flags(fractional_flag=flag(rule, *CARDS, default="wild"))

    assert found.evaluate("fractional-flag", {"user": {"name": name}}).variant == variant


@pytest.mark.parametrize(
    ("user", "variant"),
    [("jon@company.com", "tails"), ("jane@company.com", "tails"), ("user-1", "heads"),
     ("user-2", "tails"), ("user-3", "heads"), (12345, "draw"), (True, "draw"), ("", "draw"),
     (None, "draw")],
)  # fmt: skip
def test_the_short_form_is_by_flag_and_user(user: Any, variant: str) -> None:
    rule = {"fractional": [["heads"], ["tails", 1]]}
    found = flags(fractional_flag_shorthand=flag(rule, "heads", "tails", "draw", default="draw"))

    assert found.evaluate("fractional-flag-shorthand", {"targetingKey": user}).variant == variant


@pytest.mark.parametrize(
    ("value", "variant"),
    [(True, 5), (False, 1), ("user1", 22), (123, 20), (1.23, 14), ("123", 22), ("true", 24),
     (1.0, 23), (1, 23), (-2.0, 12), (9007199254740992.0, 10), (0.0, 8), (-0.0, 8),
     (2147483647, 10), (-2147483649, 18), (23, 21), (24, 11), (255, 13), (256, 13), (65535, 4),
     (65536, 11), (4294967295, 14), (4294967296, 19), (-24, 4), (-25, 16), (1e20, 19),
     (65504.0, 16), (0.000000059604644775390625, 23), (3.4028234663852886e38, 10),
     (3.5e38, 1), (1.7976931348623157e308, 17), (4.9406564584124654e-324, 2),
     ({"b": 2, "a": 1}, 23), ({"aa": 2, "z": 1}, 21), ({"b": 2, "a": {"b": 1}}, 9),
     ({"ÿ": 2, "aaa": 1}, 12), ({"key": -0.0}, 10), ({}, 3), ({"a": [1, [], 3], "b": None}, 3),
     ({"x": [{"a": {"b": []}}]}, 16), ("a", 6), ("", 4),
     ("12345678901234567890123", 4), ("123456789012345678901234", 14), ("あいうえおかき", 17),
     (r"A\u0000B", 15), (r"e\u0301", 7), (r"\uD83D\uDE00", 23)],
)  # fmt: skip
def test_any_value_is_a_bucket_s_key(value: Any, variant: int) -> None:
    rule = {"fractional": [{"var": "key"}, *[[name, 4] for name in BUCKETS]]}

    found = outcome(rule, {"key": value}, *BUCKETS, default=None)

    assert found.variant == f"bucket{variant}"


@pytest.mark.parametrize(
    ("shares", "context", "variant"),
    [
        ([["a", 0], ["b", 0]], {"targetingKey": "u"}, "off"),
        ([["a", -50], ["b", 100]], {"targetingKey": "u"}, "b"),
        ([["a", 1.5], ["b", 1]], {"targetingKey": "u"}, "off"),
        ([["a", "1"], ["b", 1]], {"targetingKey": "u"}, "off"),
        ([["a", 2**31], ["b", 1]], {"targetingKey": "u"}, "off"),
        ([["a", 1]], {}, "off"),
        ([["a", 1]], {"targetingKey": "u"}, "a"),
        ([{"var": "gone"}, ["a", 1]], {"targetingKey": "u"}, "off"),
        ([[{"var": "colour"}, 1]], {"targetingKey": "u", "colour": "b"}, "b"),
        ([["a", {"if": [{"var": "all"}, 1, 0]}], ["b", 0]], {"targetingKey": "u", "all": 1}, "a"),
        ([["a", {"if": [{"var": "all"}, 1, 0]}], ["b", 0]], {"targetingKey": "u"}, "off"),
        ([], {"targetingKey": "u"}, "off"),
        ([["a", 1, 2]], {"targetingKey": "u"}, "off"),
    ],
)
def test_shares_that_are_none_leave_the_default(shares: Any, context: Any, variant: str) -> None:
    found = outcome({"fractional": shares}, context, "a", "b", "off")

    assert found.variant == variant


def test_a_share_may_be_a_condition() -> None:
    always = {"if": [{"fractional": [[False, 0], [True, 100]]}, "on", "off"]}
    never = {"if": [{"fractional": [[False, 100], [True, 0]]}, "on", "off"]}

    assert outcome(always, {"targetingKey": "u"}).variant == "on"
    assert outcome(never, {"targetingKey": "u"}).variant == "off"


@pytest.mark.parametrize(
    ("version", "variant"),
    [("2.0.0", "equal"), ("2.1.0", "greater"), ("1.9.0", "lesser"), ("2.0.0-alpha", "lesser"),
     ("2.0.0.0", "none"), ("v2.0.0", "equal"), ("V2", "equal"), ("2", "equal"), (2, "equal"),
     (2.1, "greater"), ("2.0.0+build", "equal"), ("2.0.0-alpha.1", "lesser"), ("02.0.0", "none"),
     ("2.0.0-01", "none"), ("not-a-version", "none"), (None, "none"), ({}, "none")],
)  # fmt: skip
def test_versions_are_compared_semantically(version: Any, variant: str) -> None:
    names = ("equal", "greater", "lesser", "none")

    assert outcome(VERSION, {"version": version}, *names, default="none").variant == variant


@pytest.mark.parametrize(
    ("rule", "context", "value"),
    [
        ({"sem_ver": [{"var": "v"}, "~", "3.0.0"]}, {"v": "3.0.1"}, "true"),
        ({"sem_ver": [{"var": "v"}, "~", "3.0.0"]}, {"v": "3.1.0"}, "false"),
        ({"sem_ver": [{"var": "v"}, "^", "3"]}, {"v": "3.1.0"}, "true"),
        ({"sem_ver": [{"var": "v"}, "^", "3"]}, {"v": "4.0.0"}, "false"),
        ({"sem_ver": [{"var": "v"}, "===", "3"]}, {"v": "3.0.0"}, None),
        ({"sem_ver": [{"var": "v"}, "="]}, {"v": "3.0.0"}, None),
        ({"sem_ver": ["1.0.0-alpha.1", "<", "1.0.0-alpha.beta"]}, {}, "true"),
        ({"sem_ver": ["1.0.0-rc.1", "<", "1.0.0"]}, {}, "true"),
        ({"sem_ver": ["1.0.0-2", "<", "1.0.0-10"]}, {}, "true"),
        ({"starts_with": [{"var": "v"}, "abc"]}, {"v": "abcdef"}, "true"),
        ({"starts_with": [{"var": "v"}, "abc"]}, {"v": "xabc"}, "false"),
        ({"starts_with": [{"var": "v"}, "abc"]}, {"v": 3}, None),
        ({"starts_with": ["abc"]}, {}, None),
        ({"ends_with": [{"var": "v"}, "xyz"]}, {"v": "uvwxyz"}, "true"),
        ({"ends_with": [{"var": "v"}, {"var": "w"}]}, {"v": "uv", "w": "v"}, "true"),
        ({"ends_with": [{"var": "v"}, "xyz"]}, {"v": [1]}, None),
    ],
)
def test_operators_give_nothing_for_what_they_cannot_read(
    rule: Any, context: Any, value: str | None
) -> None:
    found = outcome(rule, context, "true", "false", default=None)

    assert found.variant == value


def test_metadata_of_the_file_and_the_flag_come_together() -> None:
    one = flag(metadata={"owner": "b", "integer": 2})
    document = {"flags": {"it": one}, "metadata": {"owner": "a", "set": True}}

    found = compiled(document, now=lambda: AT).evaluate("it", {})

    assert found.metadata == {"owner": "b", "integer": 2, "set": True}


def test_flagd_adds_the_key_and_the_second() -> None:
    rule = {"if": [{"<=": [{"var": "$flagd.timestamp"}, AT]}, {"var": "$flagd.flagKey"}]}

    assert flags(on=flag(rule)).evaluate("on", {}).variant == "on"
