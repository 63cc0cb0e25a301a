"""Exposures are looked at again and again; what is worse is turned off.

What is counted, what is judged and where counting goes on from are kept in one transaction, and
turning off in one with the end of the judgement. So whoever is killed loses no evidence, counts
nothing twice, and turns nothing off twice.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol

from steerway.delivery.canaries.errors import RecordUnreadable
from steerway.delivery.canaries.rules.judging import Judgement
from steerway.delivery.declarations.actions.publishing import Target
from steerway.delivery.exposures import actions, queries
from steerway.delivery.exposures.models import ExposureJudgement
from steerway.delivery.exposures.queries import Partial
from steerway.delivery.exposures.rules import judging, words
from steerway.delivery.exposures.rules.counting import (
    Counted,
    Counters,
    Outcomes,
    counters,
    remembered,
    since,
)
from steerway.delivery.exposures.rules.judging import Judged
from steerway.delivery.exposures.rules.words import State
from steerway.delivery.verdicts.rules.verdicts import Answer
from steerway.planning.catalog import actions as services
from steerway.planning.catalog import queries as catalog
from steerway.platform.db import reading, unit_of_work
from steerway.platform.errors import SteerwayError
from steerway.platform.work import Work

# What a replica counted before it had the flag as it is now arrives within this.
SETTLES: Final = timedelta(seconds=4)


@dataclass(frozen=True, slots=True)
class Look:
    """One exposure with what was added since its last stretch, and where counting goes on from."""

    exposure: Partial
    row: ExposureJudgement
    judgement: Judgement
    added: Counted
    counters: Counters


class TurnOff(Protocol):
    """Turns a flag off."""

    def __call__(  # noqa: D102 -- the class says it
        self, work: Work, target: Target, *, reason: str, evidence: Mapping[str, Any]
    ) -> object: ...


class Judge:
    """Looks after the exposures of the services that live on one server."""

    def __init__(
        self,
        outcomes: Callable[[str, str], Outcomes],
        turn_off: TurnOff,
        work: Callable[[], Work],
        *,
        node: str = "",
    ) -> None:
        """`outcomes` are those of a service in an environment, of each replica."""
        self._outcomes = outcomes
        self._turn_off = turn_off
        self._work = work
        self._node = node

    def look(self) -> None:
        """Count what is new, judge what is enough, turn off what is worse."""
        work = self._work()
        with reading():
            living = list(catalog.living_on(self._node))
            partial = {one.place.id: one for one in queries.partial(living)}
            rows = {row.place_id: row for row in queries.judged(living)}
        self._end(work, [row for place_id, row in rows.items() if place_id not in partial])
        found = {key: self._outcomes(*key) for key in {one.key for one in partial.values()}}
        looks = []
        for place_id, one in partial.items():
            now = counters(found[one.key], one.place.flag.key, one.variant, one.rest)
            row = rows.get(place_id)
            judgement = _judgement(row, one)
            if row is None or judgement is None:
                with unit_of_work():
                    actions.begin(work, one, counters=now)
            elif dict(row.counters) != (kept := remembered(row.counters, now)):
                looks.append(Look(one, row, judgement, since(row.counters, now), kept))
        self._judge(work, looks)

    def _judge(self, work: Work, looks: Sequence[Look]) -> None:
        settling = [one for one in looks if work.now - one.row.begun_at < SETTLES]
        settled = [one for one in looks if work.now - one.row.begun_at >= SETTLES]
        enough = [one for one in settled if judging.is_enough(one.added)]
        waiting = [one for one in settled if not judging.is_enough(one.added)]
        judged = judging.judge([(one.judgement, one.added) for one in enough])
        worse = [pair for pair in zip(enough, judged, strict=True) if _is_worse(pair[1])]
        noted = [_settled(one) for one in settling]
        noted += [one.row for one in waiting if _shown(one)]
        noted += [_kept(*pair) for pair in zip(enough, judged, strict=True) if pair not in worse]
        if noted:
            with unit_of_work():
                actions.note(work, noted)
        self._off(work, worse)

    def _off(self, work: Work, worse: Sequence[tuple[Look, Judged]]) -> None:
        """Turn off what is worse. One that cannot be is tried again, and keeps no other one."""
        failed: SteerwayError | None = None
        for look, judged in worse:
            try:
                with unit_of_work():
                    self._turn_it_off(work, look, judged)
            except SteerwayError as error:
                failed = error
        if failed is not None:
            raise failed

    def _turn_it_off(self, work: Work, look: Look, judged: Judged) -> None:
        service, environment = look.exposure.key
        services.lock(service)  # nobody exposes, turns off or on in between
        if not queries.still(look.exposure):
            return
        actions.note(work, [_kept(look, judged)])
        if catalog.get(service).is_paused:  # what is known is shown; its hands are off
            return
        if not actions.end(work, look.row, State.WORSE):
            return
        told = look.row.variant, look.row.rest, judged.counted, judged.log_e
        self._turn_off(
            work,
            Target(service, look.exposure.place.flag.key, environment),
            reason=words.reason(*told),
            evidence=words.evidence(*told),
        )

    def _end(self, work: Work, rows: Sequence[ExposureJudgement]) -> None:
        for row in rows:
            with unit_of_work():
                actions.end(work, row, State.ENDED)


def _judgement(row: ExposureJudgement | None, one: Partial) -> Judgement | None:
    """The judgement to go on from; None when it must begin (anew)."""
    if row is None or (row.variant, row.rest) != (one.variant, one.rest):
        return None
    try:
        return judging.restored(bytes(row.record))
    except RecordUnreadable:
        return None  # of another version of Steerway


def _is_worse(judged: Judged) -> bool:
    return judged.answer is Answer.WORSE


def _settled(look: Look) -> ExposureJudgement:
    look.row.counted = dict(look.counters)
    return look.row


def _shown(look: Look) -> bool:
    """Whether requests that wait for their stretch are more than was shown already."""
    before = look.row.seen
    look.row.seen = judging.counted(look.judgement) + look.added
    return look.row.seen != before


def _kept(look: Look, judged: Judged) -> ExposureJudgement:
    row = _settled(look)
    row.record, row.answer = judged.record, judged.answer.value
    row.nearness, row.progress = judged.nearness, judged.progress
    row.seen = judged.counted
    return row
