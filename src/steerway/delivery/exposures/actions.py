"""Beginning, noting and ending the judgement of exposures."""

from collections.abc import Sequence

from steerway.delivery.declarations.models import Place
from steerway.delivery.exposures.models import ExposureJudgement
from steerway.delivery.exposures.queries import Partial
from steerway.delivery.exposures.rules import judging
from steerway.delivery.exposures.rules.counting import Counters
from steerway.delivery.exposures.rules.words import State
from steerway.delivery.verdicts.rules.verdicts import Answer
from steerway.platform.work import Work

NOTED = (
    "record", "counted", "answer", "nearness", "progress", "requests", "failed",
    "requests_rest", "failed_rest", "seen_at",
)  # fmt: skip


def begin(work: Work, one: Partial, *, counters: Counters) -> None:
    """Judge an exposure from now on, with a budget of its own; what was counted before is not."""
    ExposureJudgement.objects.filter(place=one.place).delete()
    ExposureJudgement.objects.create(
        place=one.place,
        variant=one.variant,
        rest=one.rest,
        state=State.JUDGING.value,
        record=judging.begun(),
        counted=dict(counters),
        answer=Answer.NOT_ENOUGH.value,
        begun_at=work.now,
        seen_at=work.now,
    )


def begin_anew(place: Place) -> None:
    """Forget what was seen of an exposure, because somebody wants it looked at again."""
    ExposureJudgement.objects.filter(place=place).delete()


def note(work: Work, rows: Sequence[ExposureJudgement]) -> None:
    """Keep what was counted and judged. Twice is harmless: counting goes on from what is kept."""
    for row in rows:
        row.seen_at = work.now
    ExposureJudgement.objects.bulk_update(rows, NOTED, batch_size=100)


def end(work: Work, row: ExposureJudgement, state: State) -> bool:
    """End the judgement that began then; False when it had ended, or begun anew, before."""
    rows = ExposureJudgement.objects.filter(
        place_id=row.place_id, begun_at=row.begun_at, state=State.JUDGING.value
    )
    return bool(rows.update(state=state.value, seen_at=work.now))
