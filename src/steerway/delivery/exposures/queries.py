"""Which exposures are to be judged, and what is known of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db.models import Q

from steerway.delivery.declarations import queries
from steerway.delivery.declarations.models import FlagFile, Place
from steerway.delivery.declarations.rules import exposing
from steerway.delivery.exposures.models import ExposureJudgement
from steerway.delivery.exposures.rules.counting import Counted
from steerway.delivery.exposures.rules.words import ANSWERS, EXEMPT, State, sentence
from steerway.delivery.verdicts.rules.verdicts import Answer

NOTHING = Counted()
EXPOSURES_MAX = 1_000  # judged at once
TITLES = {State.WORSE: ("bad", "Turned off by itself"), State.ENDED: ("idle", "No longer judged")}


@dataclass(frozen=True, slots=True)
class Partial:
    """A variant that some users have, and the one that the others have."""

    place: Place
    variant: str
    rest: str

    @property
    def key(self) -> tuple[str, str]:
        """Service and environment."""
        return self.place.flag.service, self.place.environment


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of an exposure, for a page and a terminal. Ratios are 0..1."""

    state: str  # judging, worse, ended or exempt
    answer: str
    tone: str
    title: str
    words: str
    variant: str
    rest: str
    seen: Counted = NOTHING
    nearness: float = 0.0
    progress: float = 0.0

    @property
    def ratio(self) -> float | None:
        """How many requests failed with the variant; None when there were none."""
        return self.seen.failed / self.seen.requests if self.seen.requests else None

    @property
    def ratio_rest(self) -> float | None:
        """The same with the rest."""
        return self.seen.failed_rest / self.seen.requests_rest if self.seen.requests_rest else None


def partial(services: Iterable[str]) -> list[Partial]:
    """Exposures of these services that some users have and not all, and that may be judged."""
    found = Place.objects.filter(flag__service__in=services, flag__retired_at=None, off_at=None)
    found = found.filter(Q(share__gt=0, share__lt=exposing.WHOLE) | Q(exposure__isnull=False))
    places = found.select_related("flag").order_by("flag__service", "id")[:EXPOSURES_MAX]
    files: dict[str, FlagFile | None] = {}
    return [one for place in places if not is_exempt(place) and (one := _partial(place, files))]


def still(one: Partial) -> bool:
    """Whether an exposure is now what it was when it was read."""
    place = Place.objects.filter(id=one.place.id).select_related("flag").first()
    if place is None or place.is_off or place.flag.retired_at or is_exempt(place):
        return False
    now = _partial(place, {})
    return now is not None and (now.variant, now.rest) == (one.variant, one.rest)


def _partial(place: Place, files: dict[str, FlagFile | None]) -> Partial | None:
    flag = place.flag
    if flag.service not in files:
        files[flag.service] = queries.file(flag.service)
    base = queries.defined(flag, place.environment, held=files[flag.service])
    over = place.exposure or {}
    variant, share = over.get("variant", place.variant), over.get("percent", place.share)
    rest = over.get("rest") or exposing.rest_of(base, variant)
    if share is None or not 0 < share < exposing.WHOLE or rest == variant:
        return None
    is_off = variant == exposing.off_variant(base)  # the others have what is judged
    return Partial(place, rest, variant) if is_off else Partial(place, variant, rest)


def is_exempt(place: Place) -> bool:
    """Whether people said that nobody but them turns it off."""
    return place.flag.definition.get("metadata", {}).get("judge") is False


def judged(services: Iterable[str]) -> Iterator[ExposureJudgement]:
    """Judgements of these services that have not ended."""
    found = ExposureJudgement.objects.filter(place__flag__service__in=services)
    return found.filter(state=State.JUDGING.value).iterator()


def of(place: Place) -> ExposureJudgement | None:
    """What is remembered of an exposure."""
    return ExposureJudgement.objects.filter(place=place).first()


def looks_worse(place: Place) -> str:
    """Why no more users should get it now; empty when nothing speaks against it."""
    found = of(place)
    if found is None or found.state != State.JUDGING:
        return ""
    if found.answer not in {Answer.HOLD, Answer.WORSE}:
        return ""
    return sentence(found.answer, found.variant, found.rest, found.seen)


def standing(place: Place) -> Standing | None:
    """What a person is told; None where nothing is or was judged."""
    found, now = of(place), None if place.is_off else _partial(place, {})
    if now is not None and is_exempt(place):
        return Standing("exempt", "", "idle", "Not judged", EXEMPT, now.variant, now.rest)
    if now is not None and (found is None or found.state != State.JUDGING):
        answer, state = Answer.NOT_ENOUGH.value, State.JUDGING.value  # before the first look
        words = sentence(answer, now.variant, now.rest, NOTHING)
        return Standing(state, answer, *ANSWERS[answer], words, now.variant, now.rest)
    if found is None or (found.state == State.WORSE and not place.is_off):
        return None
    tone, title = TITLES.get(State(found.state), ANSWERS[found.answer])
    return Standing(
        state=found.state,
        answer=found.answer,
        tone=tone,
        title=title,
        words=sentence(found.answer, found.variant, found.rest, found.seen),
        variant=found.variant,
        rest=found.rest,
        seen=found.seen,
        nearness=found.nearness,
        progress=found.progress,
    )
