"""Flag evaluation beside the Python evaluators that others run in their own process.

    python benchmarks/bench_flags.py

The same flags, said in each one's own format, for the same thousand users in turn: a flag that is
simply on, one for the users of a plan, one for an address of a company, ten percent of users, and
ten percent of the users in a list of countries. Every evaluator is asked as its own client asks,
with a context made beforehand; rounds of all take turns. A batch is as many evaluations as take a
fifth of a millisecond, so that what disturbs a batch weighs the same for everybody, and is timed
in processor time; the middle and the 99th percentile are of batches. The bound: the fastest of
the others takes ten times as long, in the middle and at the 99th percentile.
"""

import gc
import json
import logging
import time
from collections.abc import Callable
from typing import Any, Final

from flag_engine.context.types import EvaluationContext as FlagsmithContext
from flag_engine.engine import get_evaluation_result
from growthbook import GrowthBook
from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.evaluation_context import EvaluationContext
from UnleashClient import UnleashClient

from steerway.delivery.variants.rules.flagsets import compiled
from steerway.openfeature.counting import Counts
from steerway.openfeature.provider import SteerwayProvider

BOUND: Final = 10
USERS: Final = 1_000
BATCH_NS: Final = 200_000
WARM: Final = 100
BATCHES: Final = 100  # a round; every evaluator has as many
ROUNDS: Final = 5
COUNTRIES: Final = ["de", "fr", "at"]
CASES: Final = ("on for all", "by plan", "by address", "10 % of users", "10 % in a list")
ON: Final = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}
TENTH: Final = {"fractional": [["on", 10], ["off", 90]]}
SPLIT: Final = {"property": "$.identity.key", "operator": "PERCENTAGE_SPLIT", "value": "10"}
FLAGD: Final = {
    "flags": {
        "on for all": ON | {"defaultVariant": "on"},
        "by plan": ON | {"targeting": {"if": [{"==": [{"var": "plan"}, "pro"]}, "on", "off"]}},
        "by address": ON
        | {"targeting": {"if": [{"ends_with": [{"var": "email"}, "@x.com"]}, "on", "off"]}},
        "10 % of users": ON | {"targeting": TENTH},
        "10 % in a list": ON
        | {"targeting": {"if": [{"in": [{"var": "country"}, COUNTRIES]}, TENTH, "off"]}},
    }
}
Ask = Callable[[str, Any], object]
Asked = tuple[Ask, list[Any]]  # how an evaluator is asked, and the context of each user


def main() -> None:
    logging.disable(logging.CRITICAL)
    users = [_user(number) for number in range(USERS)]
    evaluators: dict[str, Asked] = {
        "steerway": _steerway(users),
        "openfeature-flagd-core": _flagd(users),
        "growthbook": _growthbook(users),
        "UnleashClient": _unleash(users),
        "flagsmith-flag-engine": _flagsmith(users),
    }
    _agree(evaluators)
    provider = {"steerway, by its OpenFeature provider": _provider(users)}
    found = measured(evaluators | provider)
    _tell(found, list(evaluators)[1:])


def measured(evaluators: dict[str, Asked]) -> dict[tuple[str, str], list[float]]:
    """Nanoseconds of one evaluation, by evaluator and case: one figure a batch."""
    found: dict[tuple[str, str], list[float]] = {}
    for _ in range(ROUNDS):
        for name, asked in evaluators.items():
            for case in CASES:
                times = _batches(asked, case)
                found.setdefault((name, case), []).extend(times)
    return found


def _batches(asked: Asked, case: str) -> list[float]:
    ask, contexts = asked
    gc.collect()
    _timed(ask, case, contexts[:WARM])
    count = max(1, round(BATCH_NS / _timed(ask, case, contexts[:WARM])))
    around = contexts * (1 + count // USERS) + contexts[:count]
    starts = range(0, BATCHES * 7, 7)  # other users in each batch
    return [_timed(ask, case, around[s % USERS : s % USERS + count]) for s in starts]


def _timed(ask: Ask, case: str, contexts: list[Any]) -> float:
    """Nanoseconds of one evaluation."""
    clock = time.thread_time_ns
    begun = clock()
    for context in contexts:
        ask(case, context)
    return (clock() - begun) / len(contexts)


def _tell(found: dict[tuple[str, str], list[float]], others: list[str]) -> None:
    names = dict.fromkeys(name for name, _ in found)
    print(f"\nNanoseconds of one evaluation, middle / 99th percentile, {ROUNDS} rounds in turn")
    print(f"  {'':40}" + "".join(f"{case:>19}" for case in CASES))
    for name in names:
        row = "".join(
            f"{_at(found[name, c], 50):10,.0f} /{_at(found[name, c], 99):7,.0f}" for c in CASES
        )
        print(f"  {name:40}{row}")
    for percent in (50, 99):
        ratios = [
            min(_at(found[other, case], percent) for other in others)
            / _at(found["steerway", case], percent)
            for case in CASES
        ]
        what = "middle" if percent == 50 else f"{percent}th percentile"
        row = "".join(f"{ratio:18.1f}x" for ratio in ratios)
        print(f"  {'fastest of the others, ' + what:40}{row}   bound ≥ {BOUND}x")


def _at(times: list[float], percent: int) -> float:
    return sorted(times)[min(len(times) - 1, len(times) * percent // 100)]


def _agree(evaluators: dict[str, Asked]) -> None:
    """Rules must mean the same everywhere; of a tenth of users, each has its own tenth."""
    for name, (ask, contexts) in evaluators.items():
        for case in CASES:
            on = sum(_is_on(ask(case, context), case) for context in contexts)
            wanted = {"on for all": USERS, "by plan": 500, "by address": 500}.get(case)
            tenth = 20 <= on <= 150
            assert on == wanted if wanted else tenth, (name, case, on)


def _is_on(found: Any, case: str) -> bool:
    if isinstance(found, dict):
        return bool(found["flags"][case]["value"])
    return bool(getattr(found, "value", found))


def _user(number: int) -> dict[str, Any]:
    return {
        "targetingKey": f"user-{number}",
        "plan": "pro" if number % 2 else "free",
        "email": f"u{number}@{'x' if number % 2 else 'y'}.com",
        "country": ["de", "fr", "us", "at"][number % 4],
    }


def _steerway(users: list[dict[str, Any]]) -> Asked:
    evaluate = compiled(FLAGD, now=time.time).evaluate
    return evaluate, users


def _provider(users: list[dict[str, Any]]) -> Asked:
    provider = SteerwayProvider("nowhere.json")
    provider._flags = compiled(FLAGD, now=time.time)
    provider.counts = Counts()
    contexts = [_context(user) for user in users]
    resolve, default = provider.resolve_boolean_details, False
    return (lambda case, context: resolve(case, default, context)), contexts


def _flagd(users: list[dict[str, Any]]) -> Asked:
    core = FlagdCore()
    core.set_flags(json.dumps(FLAGD))
    contexts = [_context(user) for user in users]
    resolve, default = core.resolve_boolean_value, False
    return (lambda case, context: resolve(case, default, context)), contexts


def _context(user: dict[str, Any]) -> EvaluationContext:
    attributes = {key: value for key, value in user.items() if key != "targetingKey"}
    return EvaluationContext(user["targetingKey"], attributes)


def _growthbook(users: list[dict[str, Any]]) -> Asked:
    share = {"force": True, "coverage": 0.1, "hashAttribute": "id"}
    features = {
        "on for all": {"defaultValue": True},
        "by plan": _ruled({"condition": {"plan": "pro"}, "force": True}),
        "by address": _ruled({"condition": {"email": {"$regex": "@x\\.com$"}}, "force": True}),
        "10 % of users": _ruled(share),
        "10 % in a list": _ruled({**share, "condition": {"country": {"$in": COUNTRIES}}}),
    }
    contexts = [{**user, "id": user["targetingKey"]} for user in users]
    client = GrowthBook(features=features)

    def ask(case: str, context: Any) -> object:
        client.set_attributes(context)
        return client.is_on(case)

    return ask, contexts


def _ruled(rule: dict[str, Any]) -> dict[str, Any]:
    return {"defaultValue": False, "rules": [rule]}


def _unleash(users: list[dict[str, Any]]) -> Asked:
    def flag(name: str, strategy: str, parameters: Any, *constraints: Any) -> dict[str, Any]:
        ruled = {"name": strategy, "parameters": parameters, "constraints": list(constraints)}
        return {"name": name, "enabled": True, "strategies": [ruled]}

    share = {"rollout": "10", "stickiness": "userId", "groupId": "g"}
    features = [
        flag("on for all", "default", {}),
        flag("by plan", "default", {}, _held("plan", "IN", "pro")),
        flag("by address", "default", {}, _held("email", "STR_ENDS_WITH", "@x.com")),
        flag("10 % of users", "flexibleRollout", share),
        flag("10 % in a list", "flexibleRollout", share, _held("country", "IN", *COUNTRIES)),
    ]
    client = UnleashClient("http://127.0.0.1:1", "bench", disable_metrics=True)
    client._engine.take_state(json.dumps({"version": 2, "features": features}))
    contexts = [{"userId": user["targetingKey"], "properties": user} for user in users]
    return client.is_enabled, contexts


def _held(name: str, operator: str, *values: str) -> dict[str, Any]:
    return {"contextName": name, "operator": operator, "values": list(values)}


def _flagsmith(users: list[dict[str, Any]]) -> Asked:
    """Its engine evaluates all features of a context at once, so each case has its context."""
    contexts = [{case: _identified(case, user) for case in CASES} for user in users]
    return (lambda case, context: get_evaluation_result(context[case])), contexts


def _identified(case: str, user: dict[str, Any]) -> FlagsmithContext[Any, Any]:
    on = {"key": "1", "name": case, "enabled": True, "value": True}
    rules: dict[str, list[Any]] = {
        "by plan": [{"property": "plan", "operator": "EQUAL", "value": "pro"}],
        "by address": [{"property": "email", "operator": "REGEX", "value": ".*@x\\.com$"}],
        "10 % of users": [
            {"property": "$.identity.key", "operator": "PERCENTAGE_SPLIT", "value": "10"}
        ],
        "10 % in a list": [
            {"property": "country", "operator": "IN", "value": ",".join(COUNTRIES)},
            SPLIT,
        ],
    }
    segment = {
        "key": "s", "name": "s", "overrides": [on],
        "rules": [{"type": "ALL", "conditions": rules.get(case, [])}],
    }  # fmt: skip
    name = user["targetingKey"]
    base = {**on, "value": case == "on for all"}
    found: Any = {
        "environment": {"key": "e", "name": "e"},
        "identity": {"identifier": name, "key": name, "traits": user},
        "features": {case: base},
        "segments": {} if case == "on for all" else {"s": segment},
    }
    return found


if __name__ == "__main__":
    main()
