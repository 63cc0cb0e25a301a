"""Targeting compiled to closures: JSON Logic is looked at once, a context then runs through it.

A closure takes a context, which is a dict. Where the shape of a rule allows it, a closure does
in one call what several would; the general form below each of them means the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Final

from steerway.delivery.variants.rules import shortcuts
from steerway.delivery.variants.rules.code import Closure, Code, constant
from steerway.delivery.variants.rules.fractions import fraction
from steerway.delivery.variants.rules.operators import OPERATORS
from steerway.delivery.variants.rules.values import Json, at, is_true

OPERATIONS_MAX: Final = 5_000  # of one flag, with all that its evaluators stand for
DEPTH_MAX: Final = 60  # of operations within each other: Python's stack ends later
FLAGD: Final = "$flagd"
ITERATORS: Final = ("map", "filter", "all", "some", "none", "reduce")
BRANCHING: Final = ("if", "?:", "and", "or")
READING: Final = ("var", "missing", "missing_some")
ALL_OPERATORS: Final = frozenset({*OPERATORS, *ITERATORS, *BRANCHING, *READING, "fractional"})


class TargetingInvalid(Exception):
    """A rule that cannot be compiled; the sentence says why."""


@dataclass(slots=True)
class Compiler:
    """Compiles the rules of one flag; `evaluators` are what `$ref` names."""

    flag: str
    evaluators: Mapping[str, Json]
    now: Callable[[], float]
    depth: int = 0
    scopes: int = 0  # within how many lists' elements
    operations: int = 0
    naming: set[str] = field(default_factory=set)

    def code(self, rule: Json) -> Code:
        """The rule, compiled.

        Raises:
            TargetingInvalid: with the reason.
        """
        if isinstance(rule, Mapping) and len(rule) == 1:
            name, given = next(iter(rule.items()))
            return self._deeper(str(name), given)
        if isinstance(rule, list):
            parts = [self.code(one) for one in rule]
            if all(part.is_constant for part in parts):
                return constant([part.constant for part in parts])
            runs = [part.run for part in parts]
            return Code(lambda c: [run(c) for run in runs])
        return constant(rule)

    def enter(self) -> None:
        """Count one operation more, within the ones around it.

        Raises:
            TargetingInvalid: they are too many, or too deep in each other.
        """
        self.operations += 1
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise TargetingInvalid(f"operations lie more than {DEPTH_MAX} deep in each other")
        if self.operations > OPERATIONS_MAX:
            raise TargetingInvalid(f"these are more than {OPERATIONS_MAX} operations")

    def leave(self) -> None:
        """Come back to the operation around."""
        self.depth -= 1

    def _deeper(self, name: str, given: Json) -> Code:
        self.enter()
        found = self.reference(given) if name == "$ref" else self._operation(name, given)
        self.leave()
        return found

    def _operation(self, name: str, given: Json) -> Code:
        arguments: list[Json] = given if isinstance(given, list) else [given]
        if name == "var":
            return self._variable(arguments)
        if name in BRANCHING:
            return self._branching(name, arguments)
        if name in ITERATORS:
            return self._iterator(name, arguments)
        if name == "fractional":
            return Code(fraction(self.code, self.flag, arguments, lambda value: value))
        if name in READING:
            return self._missing(name, arguments)
        applied = OPERATORS.get(name)
        if applied is None:
            raise TargetingInvalid(f"there is no operator {name[:60]}")
        return shortcuts.applied_to(name, applied, [self.code(one) for one in arguments])

    def reference(self, name: Json) -> Code:
        """What an evaluator's name stands for."""
        if not isinstance(name, str) or name not in self.evaluators:
            raise TargetingInvalid(f"there is no evaluator {str(name)[:60]}")
        if name in self.naming:
            raise TargetingInvalid(f"the evaluator {name[:60]} stands for itself")
        self.naming.add(name)
        found = self.code(self.evaluators[name])
        self.naming.discard(name)
        return found

    def _variable(self, arguments: Sequence[Json]) -> Code:
        path = arguments[0] if arguments else ""
        default = self.code(arguments[1]) if len(arguments) > 1 else constant(None)
        if isinstance(path, Mapping):
            dynamic = self.code(path).run
            return Code(lambda c: _or(at(c, dynamic(c)), default, c))
        if not self.scopes and isinstance(path, str) and path.split(".")[0] in {FLAGD, ""}:
            return self._own(path)
        if not self.scopes and isinstance(path, str) and "." not in path:
            return shortcuts.field(path, default)
        return Code(lambda c: _or(at(c, path), default, c))

    def _own(self, path: str) -> Code:
        """What flagd adds to the context: the flag's key, and the second it is."""
        if path == f"{FLAGD}.flagKey":
            return constant(self.flag)
        flag, now = self.flag, self.now
        if path == f"{FLAGD}.timestamp":
            return Code(lambda _: int(now()))
        # The whole context, or a part of what flagd adds that is not there.
        return Code(lambda c: at({**c, FLAGD: {"flagKey": flag, "timestamp": int(now())}}, path))

    def _branching(self, name: str, arguments: Sequence[Json]) -> Code:
        parts = [self.code(one) for one in arguments]
        if name in {"if", "?:"}:
            return Code(chosen([part.run for part in parts], lambda _: None))
        runs = [part.run for part in parts]
        stops_at = name == "or"

        def joined(c: Any) -> Json:
            found: Json = None
            for run in runs:
                found = run(c)
                if is_true(found) is stops_at:
                    return found
            return found

        return Code(joined)

    def _iterator(self, name: str, arguments: Sequence[Json]) -> Code:
        source = self.code(arguments[0] if arguments else None).run
        self.scopes += 1
        body = self.code(arguments[1] if len(arguments) > 1 else None).run
        self.scopes -= 1
        if name == "reduce":
            start = self.code(arguments[2] if len(arguments) > 2 else None).run  # noqa: PLR2004
            return Code(lambda c: reduce(_folding(body), _items(source(c)), start(c)))
        over = _OVER[name]
        return Code(lambda c: over(_items(source(c)), body))

    def _missing(self, name: str, arguments: Sequence[Json]) -> Code:
        runs = [self.code(one).run for one in arguments]

        def missing(c: Any) -> list[Json]:
            found = [run(c) for run in runs]
            keys = found[0] if found and isinstance(found[0], list) else found
            return _absent(c, keys)

        def missing_some(c: Any) -> list[Json]:
            need, keys = ([run(c) for run in runs] + [0, []])[:2]
            keys = keys if isinstance(keys, list) else []
            gone = _absent(c, keys)
            enough = isinstance(need, int | float) and len(keys) - len(gone) >= need
            return [] if enough else gone

        return Code(missing if name == "missing" else missing_some)


def chosen(runs: Sequence[Closure], otherwise: Closure) -> Closure:
    """If, then, else: `runs` are conditions and outcomes in turn, and perhaps a last outcome."""
    if len(runs) % 2:
        otherwise, runs = runs[-1], runs[:-1]
    if len(runs) == 2:  # noqa: PLR2004 -- one condition and its outcome
        condition, outcome = runs

        def one(c: Any) -> Json:
            held = condition(c)
            if held is True or (held is not False and is_true(held)):
                return outcome(c)
            return otherwise(c)

        return one
    pairs = list(zip(runs[::2], runs[1::2], strict=True))

    def many(c: Any) -> Json:
        for condition, outcome in pairs:
            held = condition(c)
            if held is True or (held is not False and is_true(held)):
                return outcome(c)
        return otherwise(c)

    return many if pairs else otherwise


def _or(found: Json, default: Code, c: Any) -> Json:
    return default.run(c) if found is None else found


def _items(found: Json) -> list[Json]:
    return found if isinstance(found, list) else []


def _folding(body: Closure) -> Callable[[Json, Json], Json]:
    return lambda whole, one: body({"accumulator": whole, "current": one})


def _absent(c: Any, keys: Sequence[Json]) -> list[Json]:
    return [key for key in keys if at(c, key) in (None, "")]


_OVER: Final[Mapping[str, Callable[[list[Json], Closure], Json]]] = {
    "map": lambda items, body: [body(one) for one in items],
    "filter": lambda items, body: [one for one in items if is_true(body(one))],
    # Of nothing at all, not all are so: json-logic-js says it that way.
    "all": lambda items, body: bool(items) and all(is_true(body(one)) for one in items),
    "some": lambda items, body: any(is_true(body(one)) for one in items),
    "none": lambda items, body: not any(is_true(body(one)) for one in items),
}
