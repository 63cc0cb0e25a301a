"""Reading the log."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import QuerySet

from steerway.platform.log.errors import TimeUnreadable
from steerway.platform.log.models import Event, Head
from steerway.platform.log.rules import GENESIS, moment

# Rows held in memory at once while the whole log is read.
CHUNK_ROWS = 2000
PAGE_ROWS_MAX = 500
AGES = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries are wanted; an empty field means all."""

    service: str = ""
    subject: str = ""
    type: str = ""
    actor: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of the chain found: `bad` names the first entry that is not as written."""

    entries: int
    head: str
    bad: int | None = None
    reason: str = ""


def newest(wanted: Filter, *, before: int | None = None, rows: int = 50) -> list[Event]:
    """Entries that match, newest first, at most `rows`, older than the number `before`."""
    found = _matching(wanted).order_by("-seq")
    if before is not None:
        found = found.filter(seq__lt=before)
    if wanted.since is not None:
        found = found.filter(seq__gte=_earliest(wanted.since))
    return list(found[: min(rows, PAGE_ROWS_MAX)])


def after(seq: int, wanted: Filter | None = None, *, rows: int = 100) -> list[Event]:
    """Entries that came after number `seq`, oldest first: what a stream sends next."""
    found = _matching(wanted or Filter()).filter(seq__gt=seq).order_by("seq")
    return list(found[: min(rows, PAGE_ROWS_MAX)])


def last_seq() -> int:
    """Number of the newest entry; 0 when the log is empty."""
    return Head.objects.filter(id=1).values_list("seq", flat=True).first() or 0


def every(wanted: Filter) -> Iterator[Event]:
    """All entries that match, oldest first, read in chunks."""
    seq = 0
    while chunk := list(_matching(wanted).filter(seq__gt=seq).order_by("seq")[:CHUNK_ROWS]):
        yield from chunk
        seq = chunk[-1].seq


def verify() -> Verdict:
    """Read the whole chain and say whether it is as it was written.

    The head is read before its entries and once more behind them, so that entries which are
    written meanwhile are no fault, and neither a lost end nor an added one is missed.
    """
    head = _head()
    previous, seq = GENESIS, 0
    try:
        for event in every(Filter()):
            reason = _fault(event, seq + 1, previous) or _other_head(event, head)
            if reason:
                return Verdict(entries=seq, head=previous, bad=event.seq, reason=reason)
            previous, seq = event.hash, event.seq
    except ValueError:
        bad = _first_unreadable(seq)
        return Verdict(entries=bad - 1, head=previous, bad=bad, reason="it cannot be read")
    if seq < head.seq:
        return Verdict(
            seq, previous, bad=seq + 1, reason=f"entries {seq + 1} to {head.seq} are missing"
        )
    if seq > (newest := last_seq()):
        return Verdict(newest, previous, bad=newest + 1, reason="it stands behind the newest one")
    return Verdict(entries=seq, head=previous)


def cloudevent(event: Event) -> dict[str, object]:
    """The entry as a CloudEvent; the chain travels in extension attributes.

    Source: CloudEvents 1.0.2, JSON format.
    """
    return {
        "specversion": "1.0",
        "id": str(event.id),
        "source": f"/services/{event.service}" if event.service else "/steerway",
        "type": f"dev.steerway.{event.type}",
        "subject": event.subject,
        "time": moment(event.at),
        "datacontenttype": "application/json",
        "data": json.loads(event.data),
        "actor": event.actor,
        "environment": event.environment,
        "sequence": str(event.seq),
        "previoushash": event.previous,
        "hash": event.hash,
    }


def parse_moment(text: str, now: datetime) -> datetime:
    """A moment from `2026-03-01T09:00Z`, a day, or an age such as `24h`.

    Raises:
        TimeUnreadable: it is none of these.
    """
    try:
        if text[:-1].isdecimal() and text[-1:] in AGES:
            return now - timedelta(**{AGES[text[-1]]: int(text[:-1])})
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise TimeUnreadable(value=text) from error


def _head() -> Head:
    return Head.objects.filter(id=1).first() or Head()


def _other_head(event: Event, head: Head) -> str:
    if event.seq == head.seq and event.hash != head.hash:
        return "it is not the one that was written last"
    return ""


def _first_unreadable(seq: int) -> int:
    """Number of the first entry after `seq` whose columns are not even of their type."""
    numbers = Event.objects.filter(seq__gt=seq).order_by("seq").values_list("seq", flat=True)
    for number in numbers[: CHUNK_ROWS + 1]:
        try:
            Event.objects.get(seq=number)
        except ValueError:
            return number
    return seq + 1


def _fault(event: Event, expected: int, previous: str) -> str:
    if event.at is None:  # SQLite gives None for a text that is no time
        return "its time cannot be read"
    if event.seq != expected:
        return f"entry {expected} is missing"
    if event.previous != previous:
        return "it is not chained to the entry before it"
    if event.hash != event.sealed():
        return "its content does not match its hash"
    return ""


def _earliest(since: datetime) -> int:
    """A number before which no entry is as young as `since`; the search need not go further.

    Moments are taken when a request comes in and numbers when it writes, so entries that were
    written at once may be out of order by a few; the least number of many is taken.
    """
    young = Event.objects.filter(at__gte=since).order_by("at").values_list("seq", flat=True)
    return min(young[:CHUNK_ROWS], default=last_seq() + 1)


def _matching(wanted: Filter) -> QuerySet[Event]:
    found = Event.objects.all()
    for name in ("service", "subject", "type", "actor"):
        if value := getattr(wanted, name):
            found = found.filter(**{name: value})
    if wanted.since:
        found = found.filter(at__gte=wanted.since)
    if wanted.until:
        found = found.filter(at__lt=wanted.until)
    return found
