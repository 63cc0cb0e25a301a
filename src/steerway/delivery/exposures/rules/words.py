"""What is known of an exposure, in a sentence with the counts of both variants."""

from collections.abc import Mapping
from enum import StrEnum
from math import exp, log
from typing import Any, Final

from steerway.delivery.exposures.rules.counting import Counted
from steerway.delivery.exposures.rules.judging import PLAN
from steerway.delivery.verdicts.rules.verdicts import Answer

LARGEST: Final = 1e6  # evidence beyond it is "over a million"
ANSWERS: Final[Mapping[str, tuple[str, str]]] = {
    Answer.BETTER: ("good", "Better or equal"),
    Answer.NOT_ENOUGH: ("info", "Not enough data yet"),
    Answer.HOLD: ("warn", "Looks worse, without proof"),
    Answer.WORSE: ("bad", "Worse"),
}
UNCOUNTED: Final = (
    "No request has been counted by its variant. A Python service counts them with FlagsWsgi or "
    "FlagsAsgi of steerway.openfeature."
)
EXEMPT: Final = "Its metadata says judge: false, so nobody turns it off but people."


class State(StrEnum):
    """Where the judgement of an exposure is."""

    JUDGING = "judging"
    WORSE = "worse"
    ENDED = "ended"


def compared(variant: str, rest: str, one: Counted) -> str:
    """For example "5.2 % of 412 requests failed with on, 0.1 % of 8,240 with off"."""
    return (
        f"{_ratio(one.failed, one.requests)} requests failed with {variant}, "
        f"{_ratio(one.failed_rest, one.requests_rest)} with {rest}"
    )


def sentence(answer: str, variant: str, rest: str, one: Counted) -> str:
    """The answer with both counts."""
    if not one.total:
        return UNCOUNTED
    return f"{ANSWERS[answer][1]}: {compared(variant, rest, one)}."


def reason(variant: str, rest: str, one: Counted, log_e: float) -> str:
    """Why it is turned off."""
    limit = f"{1 / PLAN.alpha:,.0f}"
    return (
        f"{variant} is worse than {rest}: {compared(variant, rest, one)} "
        f"(evidence {_value(log_e)}, and {limit} decides)."
    )


def evidence(variant: str, rest: str, one: Counted, log_e: float) -> dict[str, Any]:
    """The same for machines, kept with the flag and in the log."""
    return {
        "variant": variant,
        "failed": one.failed,
        "requests": one.requests,
        "rest": rest,
        "rest_failed": one.failed_rest,
        "rest_requests": one.requests_rest,
        "evidence": round(min(exp(min(log_e, 50.0)), LARGEST), 1),
        "boundary": round(1 / PLAN.alpha, 1),
    }


def _ratio(failed: int, requests: int) -> str:
    return f"{100 * failed / requests:.3g} % of {requests:,}" if requests else "none of 0"


def _value(log_e: float) -> str:
    return "over a million" if log_e > log(LARGEST) else f"{exp(log_e):,.0f}"
