"""What holds for every context, every user and every rule."""

import json
from typing import Any

from hypothesis import given, reject, settings
from hypothesis import strategies as st
from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import OpenFeatureError

from steerway.delivery.variants.rules.flagsets import FlagSet, Reason, compiled
from steerway.delivery.variants.rules.targeting import ALL_OPERATORS, OPERATIONS_MAX
from tests.delivery.variants.samples import AT, flag, flags, outcome

REPEATABLE = settings(derandomize=True, max_examples=300, deadline=None, database=None)
LEAVES = (
    st.none() | st.booleans() | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, width=32) | st.text(max_size=6)
)  # fmt: skip
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = ("a", "b", "a.b", "targetingKey", "$flagd.flagKey")
VALUES = LEAVES | st.sampled_from(FIELDS).map(lambda name: {"var": name})
RULES = st.recursive(
    VALUES,
    lambda inner: st.tuples(
        st.sampled_from(sorted(ALL_OPERATORS - {"log"})), st.lists(inner, max_size=4)
    ).map(lambda pair: {pair[0]: pair[1]}),
    max_leaves=8,
)
CONTEXTS = st.dictionaries(st.sampled_from(["a", "b", "targetingKey", "c"]), JSON, max_size=4)
USERS = [f"user-{number}" for number in range(10_000)]
SHARED_RULES: list[Any] = [
    {"fractional": [["on", 10], ["off", 90]]},
    {"fractional": [{"cat": ["seed", {"var": "targetingKey"}]}, ["on", 3], ["off", 4]]},
    {"fractional": [{"var": "key"}, ["on", 1], ["off", 1]]},
    {"if": [{"in": ["@", {"var": "key"}]}, "on", "off"]},
    {"if": [{"in": [{"var": "key"}, ["a", "b", "c"]]}, "on", None]},
    {"if": [{"sem_ver": [{"var": "key"}, ">=", "1.2"]}, "on", "off"]},
    {"if": [{"starts_with": [{"var": "key"}, "a"]}, "on", "off"]},
]


def rollout(percent: int) -> FlagSet:
    return flags(it=flag({"fractional": [["on", percent * 100], ["off", 10_000 - percent * 100]]}))


@REPEATABLE
@given(rule=RULES, context=CONTEXTS)
def test_no_rule_and_no_context_makes_an_evaluation_fail(rule: Any, context: Any) -> None:
    found = outcome(rule, context)

    assert (found.variant is None) == (found.reason is Reason.ERROR)


@REPEATABLE
@given(context=CONTEXTS, rule=st.sampled_from(SHARED_RULES), key=LEAVES)
def test_a_variant_is_that_of_flagd_s_own_evaluator(context: Any, rule: Any, key: Any) -> None:
    context = {**context, "key": key, "targetingKey": str(context.get("targetingKey", ""))}
    theirs = FlagdCore()
    theirs.set_flags(json.dumps({"flags": {"it": flag(rule)}}))
    asked = EvaluationContext(context["targetingKey"], context)

    try:
        expected = theirs.resolve_boolean_value("it", False, asked).variant
    except (OpenFeatureError, ArithmeticError, TypeError):
        reject()  # flagd's evaluator says nothing here

    assert outcome(rule, context).variant == expected


def test_a_share_is_what_was_asked_for() -> None:
    found = rollout(10)

    on = sum(bool(found.evaluate("it", {"targetingKey": user}).value) for user in USERS)

    assert 800 <= on <= 1200


def test_a_user_who_is_in_stays_in_while_a_rollout_grows() -> None:
    shares = [rollout(percent) for percent in (1, 10, 25, 50, 99, 100)]

    seen = [
        [bool(found.evaluate("it", {"targetingKey": user}).value) for found in shares]
        for user in USERS[:2000]
    ]

    assert all(one == sorted(one) for one in seen)


def test_the_same_user_has_the_same_variant_every_time_and_flags_have_their_own_users() -> None:
    rule = {"fractional": [["on", 1], ["off", 1]]}
    found = flags(one=flag(rule), two=flag(rule))
    context = {"targetingKey": "user-7"}

    assert len({found.evaluate("one", context).variant for _ in range(1000)}) == 1
    differing = sum(
        found.evaluate("one", {"targetingKey": u}).variant
        != found.evaluate("two", {"targetingKey": u}).variant
        for u in USERS[:1000]
    )
    assert 400 < differing < 600


def test_a_rule_nested_too_deep_or_that_multiplies_is_an_error_and_no_wait() -> None:
    deep: Any = True
    for _ in range(500):
        deep = {"!": [deep]}
    bombs = {f"e{n}": {"and": [{"$ref": f"e{n - 1}"}] * 10} for n in range(1, 30)}
    document = {
        "flags": {"deep": flag(deep), "bomb": flag({"$ref": "e29"})},
        "$evaluators": {"e0": {"!": 1}, **bombs},
    }
    found = compiled(document, now=lambda: AT)

    assert "deep" in found.evaluate("deep", {}).message
    assert str(OPERATIONS_MAX) in found.evaluate("bomb", {}).message


def test_a_context_without_end_is_an_error() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]

    found = outcome({"fractional": [{"var": "key"}, ["on", 1]]}, {"key": deep})

    assert found.reason is Reason.ERROR
