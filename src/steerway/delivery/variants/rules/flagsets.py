"""A whole flag file, compiled: which variant each flag has for a context.

Source: flagd's flag definitions (flagd.dev, schema v0) and OpenFeature's reasons and errors.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from steerway.delivery.variants.rules.code import Closure
from steerway.delivery.variants.rules.fractions import fraction
from steerway.delivery.variants.rules.targeting import Compiler, TargetingInvalid, chosen
from steerway.delivery.variants.rules.values import Json

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
ENABLED: Final = "ENABLED"
DISABLED: Final = "DISABLED"
KEY_SHOWN_MAX: Final = 100


class Reason(StrEnum):
    """Why a flag has its variant."""

    STATIC = "STATIC"
    TARGETING_MATCH = "TARGETING_MATCH"
    DEFAULT = "DEFAULT"
    DISABLED = "DISABLED"
    ERROR = "ERROR"


class ErrorCode(StrEnum):
    """Why a flag has none."""

    FLAG_NOT_FOUND = "FLAG_NOT_FOUND"
    PARSE_ERROR = "PARSE_ERROR"
    GENERAL = "GENERAL"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an evaluation comes to. Without a variant the caller's own default holds."""

    reason: Reason
    variant: str | None = None
    value: Json = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    error: ErrorCode | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag as it is evaluated."""

    key: str
    variants: Mapping[str, Json]
    metadata: Mapping[str, Any]
    decide: Callable[[Any], Outcome]
    by_user: bool = False  # whether a rule of it shares users out


class FlagSet:
    """The flags of one file. Evaluations may come from many threads: nothing here changes."""

    __slots__ = ("_decisions", "flags", "metadata")

    def __init__(self, flags: Mapping[str, Flag], metadata: Mapping[str, Any] = NOTHING) -> None:
        """A set of compiled flags."""
        self.flags = flags
        self.metadata = metadata
        self._decisions = {key: flag.decide for key, flag in flags.items()}

    def evaluate(self, key: str, context: dict[str, Any]) -> Outcome:
        """The outcome of the flag `key` for a context, whose user is its `targetingKey`."""
        decide = self._decisions.get(key)
        if decide is None:
            return _unknown(key)
        try:
            return decide(context)
        except (ArithmeticError, AttributeError, RecursionError, TypeError, ValueError) as error:
            # A context may hold what no rule was written for; an evaluation has an outcome anyway.
            return _failed(self.flags[key], f"{type(error).__name__}: {error}")


def compiled(document: Mapping[str, Any], *, now: Callable[[], float]) -> FlagSet:
    """The flags of a file in flagd's format; a flag that cannot be compiled has an error.

    `now` gives the seconds since 1970 that `$flagd.timestamp` stands for.
    """
    evaluators = _mapping(document.get("$evaluators"))
    shared = _mapping(document.get("metadata"))
    flags = {
        str(key): _flag(str(key), _mapping(one), evaluators, shared, now)
        for key, one in _mapping(document.get("flags")).items()
    }
    return FlagSet(flags, shared)


def _flag(
    key: str,
    written: Mapping[str, Any],
    evaluators: Mapping[str, Any],
    shared: Mapping[str, Any],
    now: Callable[[], float],
) -> Flag:
    maker = _Maker(
        key,
        variants=_mapping(written.get("variants")),
        default=written.get("defaultVariant"),
        metadata=MappingProxyType({**shared, **_mapping(written.get("metadata"))}),
    )
    if written.get("state") == DISABLED:
        outcome = Outcome(Reason.DISABLED, metadata=maker.metadata)
        decide: Callable[[Any], Outcome] = lambda _: outcome  # noqa: E731 -- one of three
    elif not written.get("targeting"):
        static = maker.default_outcome(Reason.STATIC)
        decide = lambda _: static  # noqa: E731
    else:
        decide = _targeted(maker, written["targeting"], Compiler(key, evaluators, now))
    by_user = _is_by_user([written.get("targeting"), *evaluators.values()])
    return Flag(key, maker.variants, maker.metadata, decide, by_user)


def _is_by_user(rule: Json) -> bool:
    """Whether `fractional` in its short form is part of a rule, or of one it may name."""
    left = [rule]
    while left:
        one = left.pop()
        if isinstance(one, Mapping):
            shares = one.get("fractional")
            if isinstance(shares, list) and shares and isinstance(shares[0], list):
                return True
            left += one.values()
        elif isinstance(one, list):
            left += one
    return False


def _targeted(maker: "_Maker", rule: Json, compiler: Compiler) -> Callable[[Any], Outcome]:
    try:
        return maker.outcome(rule, compiler)
    except TargetingInvalid as error:
        said = f"The targeting of {maker.key[:KEY_SHOWN_MAX]} cannot be read: {error}."
        wrong = Outcome(
            Reason.ERROR, metadata=maker.metadata, error=ErrorCode.PARSE_ERROR, message=said
        )
        return lambda _: wrong


@dataclass(slots=True)
class _Maker:
    """Makes the outcomes of one flag, each once."""

    key: str
    variants: Mapping[str, Json]
    default: Json
    metadata: Mapping[str, Any]
    made: dict[str, Outcome] = field(default_factory=dict)
    fallback: Outcome = field(init=False)

    def __post_init__(self) -> None:
        self.fallback = self.default_outcome(Reason.DEFAULT)

    def default_outcome(self, reason: Reason) -> Outcome:
        """What holds where no rule decides."""
        variant = _name(self.default)
        if not variant:
            return Outcome(Reason.DEFAULT, metadata=self.metadata)
        if variant not in self.variants:
            return self._missing(variant)
        return Outcome(reason, variant, self.variants[variant], self.metadata)

    def of(self, result: Json) -> Outcome:
        """What a rule's result comes to: a variant's name, or nothing."""
        if result.__class__ is str and (known := self.made.get(result)) is not None:
            return known
        if result is None:
            return self.fallback
        variant = _name(result)
        if variant not in self.variants:
            return self._missing(variant)
        outcome = Outcome(Reason.TARGETING_MATCH, variant, self.variants[variant], self.metadata)
        self.made[variant] = outcome
        return outcome

    def outcome(self, rule: Json, compiler: Compiler) -> Callable[[Any], Outcome]:
        """The rule, compiled down to ready outcomes where its branches name variants."""
        if isinstance(rule, Mapping) and len(rule) == 1:
            name, given = next(iter(rule.items()))
            arguments = given if isinstance(given, list) else [given]
            if name in {"if", "?:"}:
                return self._branches(arguments, compiler)
            if name == "fractional":
                return fraction(compiler.code, self.key, arguments, self.of)
        code = compiler.code(rule)
        if code.is_constant:
            ready = self.of(code.constant)
            return lambda _: ready
        run, of = code.run, self.of
        return lambda c: of(run(c))

    def _branches(self, arguments: list[Json], compiler: Compiler) -> Callable[[Any], Outcome]:
        compiler.enter()
        last = len(arguments) - 1
        runs: list[Closure] = [
            self.outcome(one, compiler) if place % 2 or place == last else compiler.code(one).run
            for place, one in enumerate(arguments)
        ]
        compiler.leave()
        fallback = self.fallback
        return chosen(runs, lambda _: fallback)

    def _missing(self, variant: str) -> Outcome:
        said = f"The flag {self.key[:KEY_SHOWN_MAX]} has no variant {variant[:KEY_SHOWN_MAX]}."
        return Outcome(Reason.ERROR, metadata=self.metadata, error=ErrorCode.GENERAL, message=said)


def _name(result: Json) -> str:
    """The variant that a result names: true is the variant called true."""
    if isinstance(result, bool):
        return "true" if result else "false"
    return "" if result is None else str(result)


def _mapping(found: Json) -> Mapping[str, Any]:
    return found if isinstance(found, Mapping) else NOTHING


def _unknown(key: str) -> Outcome:
    said = f"There is no flag {str(key)[:KEY_SHOWN_MAX]}."
    return Outcome(Reason.ERROR, error=ErrorCode.FLAG_NOT_FOUND, message=said)


def _failed(flag: Flag, said: str) -> Outcome:
    return Outcome(
        Reason.ERROR, metadata=flag.metadata, error=ErrorCode.GENERAL, message=said[:200]
    )
