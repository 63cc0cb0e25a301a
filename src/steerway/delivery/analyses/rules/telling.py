"""An analysis in the words of people: a headline, the ladder of its steps, its metrics. Pure.

The page and the terminal say the same, so both are made of this.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from steerway.delivery.analyses.rules.words import State
from steerway.delivery.verdicts.rules.verdicts import Answer, MetricEvidence

ALL: Final = 100.0
ALARMING: Final = 0.5  # of the way to a rollback: nobody calls it proven then

# What a metric is called, and what the share beside it is a share of.
TITLES: Final[Mapping[str, tuple[str, str]]] = {
    "errors": ("Errors", "requests that failed, with those a retry hid"),
    "slow_p50": ("Latency, median", "requests slower than the stable median"),
    "slow_p90": ("Latency, p90", "requests slower than nine in ten of the stable version"),
    "slow_p99": ("Latency, p99", "requests slower than 99 in 100 of the stable version"),
    "http_4xx": ("Refusals", "requests answered with 4xx"),
    "crash": ("Crashes", "seconds in which a replica ended"),
    "saturation": ("Saturation", "what its limits allow that is used"),
}
DARK: Final = "It runs beside the stable version, and no user reaches it."
UNSEEN: Final = "before a user reached it"
OWN: Final = "a metric of the service's own"

HEADLINES: Final[Mapping[str, tuple[str, str]]] = {
    "": ("info", "Just begun"),
    Answer.BETTER: ("good", "Better or equal so far"),
    Answer.NOT_ENOUGH: ("info", "Not enough data yet"),
    Answer.HOLD: ("warn", "Held"),
    Answer.WORSE: ("bad", "Worse"),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an analysis, as its record and the API have it."""

    state: str
    answer: str
    percent: float
    steps: Sequence[float]
    reasons: Sequence[str]
    reached: float  # the share at which it was looked at last
    waits_for: float | None = None
    paused_by: str = ""
    gates: Sequence[float] = ()  # the steps that somebody must approve


@dataclass(frozen=True, slots=True)
class Headline:
    """The answer in one line, its tone, and the sentence behind it."""

    tone: str
    words: str
    why: str


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the ladder. `mark` is done, now, todo or failed."""

    percent: float
    mark: str
    is_gate: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One metric of both versions. Ratios are 0..1 and None where nothing was seen."""

    name: str
    title: str
    meaning: str
    new: float | None
    old: float | None
    requests_new: float
    requests_old: float
    nearness: float
    progress: float
    is_needed: bool
    is_passed: bool

    @property
    def tone(self) -> str:
        """How alarming its nearness to a rollback is."""
        return "bad" if self.nearness >= ALARMING else "warn" if self.nearness > 1 / 10 else "good"

    @property
    def proof(self) -> str:
        """How far it is through its gate, in words."""
        if self.is_passed:
            return "proven"
        is_open = self.is_needed and self.nearness < ALARMING
        return f"{100 * self.progress:.0f} %" if is_open else "-"


def facts(found: Mapping[str, Any]) -> Facts:
    """The facts in what the API says."""
    newest = found["points"][-1:]
    return Facts(
        state=found["state"],
        answer=found["answer"],
        percent=found["percent"],
        steps=found["steps"],
        reasons=found["reasons"],
        reached=newest[0]["percent"] if newest else found["percent"],
        waits_for=found["waits_for"],
        paused_by=found["paused_by"],
    )


def headline(known: Facts) -> Headline:
    """The answer to "how is it going?"."""
    first = DARK if _is_dark(known) else "The first second is being looked at."
    return Headline(*_answer(known), known.reasons[0] if known.reasons else first)


def _answer(known: Facts) -> tuple[str, str]:
    is_proven, at = known.answer == Answer.BETTER, f"{known.reached:g} %"
    ended = {
        State.PROMOTED: (
            "good",
            f"Promoted: {'better or equal' if is_proven else 'no sign of harm'}",
        ),
        State.WORSE: ("bad", f"Worse: taken back {f'from {at}' if known.reached else UNSEEN}"),
        State.STOPPED: (
            "idle",
            f"Stopped {f'at {at}, before an answer' if known.reached else UNSEEN}",
        ),
    }
    return ended.get(State(known.state)) or _answer_so_far(known)


def _is_dark(known: Facts) -> bool:
    return not known.percent and known.waits_for is not None


def _answer_so_far(known: Facts) -> tuple[str, str]:
    is_waiting = known.waits_for is not None and known.answer == Answer.HOLD
    cases = (
        (_is_dark(known), "warn", "In the dark, until somebody releases it"),
        (not known.percent, "info", "Compared on copies of requests"),
        (bool(known.paused_by), "warn", f"Paused at {known.percent:g} % by {known.paused_by}"),
        (is_waiting, "warn", f"Waits until somebody approves {known.waits_for or 0:g} %"),
        (_is_baking(known), "info", "Has everything, and is watched"),
    )
    found = next(((tone, words) for holds, tone, words in cases if holds), None)
    return found or HEADLINES.get(known.answer, ("unknown", known.answer.capitalize()))


def _is_baking(known: Facts) -> bool:
    return known.percent == ALL and known.answer != Answer.WORSE


def ladder(known: Facts) -> list[Rung]:
    """Its steps, and everything as the last of them."""
    return [Rung(step, _mark(known, step), step in known.gates) for step in (*known.steps, ALL)]


def _mark(known: Facts, step: float) -> str:
    if known.state == State.PROMOTED:
        return "done"
    at = known.percent if known.state == State.RUNNING else known.reached
    if step == at:
        return "now" if known.state == State.RUNNING else "failed"
    return "done" if step < at else "todo"


def plain(one: MetricEvidence) -> dict[str, Any]:
    """One metric as the API says it."""
    return {
        "name": one.name,
        "title": _called(one.name)[0],
        "nearness": one.nearness,
        "progress": one.progress,
        "gate_needed": one.gate_needed,
        "gate_passed": one.gate_passed,
        "log_e": one.log_e,
        "boundary": one.boundary,
        "requests_new": one.trials_canary,
        "bad_new": one.bad_canary,
        "requests_old": one.trials_stable,
        "bad_old": one.bad_stable,
    }


def row(metric: Mapping[str, Any]) -> Row:
    """One metric of what the API says."""
    title, meaning = _called(metric["name"])
    return Row(
        name=metric["name"],
        title=title,
        meaning=meaning,
        new=_ratio(metric["bad_new"], metric["requests_new"]),
        old=_ratio(metric["bad_old"], metric["requests_old"]),
        requests_new=metric["requests_new"],
        requests_old=metric["requests_old"],
        nearness=metric["nearness"],
        progress=metric["progress"],
        is_needed=metric["gate_needed"],
        is_passed=metric["gate_passed"] and metric["nearness"] < ALARMING,
    )


def rows(metrics: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Metrics of which anything was seen, in their order."""
    return [one for one in map(row, metrics) if one.requests_new or one.requests_old]


def _called(name: str) -> tuple[str, str]:
    return TITLES.get(name, (name.capitalize(), OWN))


def _ratio(bad: float, trials: float) -> float | None:
    return bad / trials if trials else None
