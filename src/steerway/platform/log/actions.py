"""Writing to the log: there is one verb."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.db.backends.utils import CursorWrapper

from steerway.platform.db import is_postgresql, new_id
from steerway.platform.log.models import Event, Head
from steerway.platform.log.rules import canonical

COLUMNS: Final[list[tuple[str, Any]]] = [(f.attname, f) for f in Event._meta.concrete_fields]
# Every action appends, and thousands a second may: plain SQL takes a third of the ORM's time.
HEAD: Final = "SELECT seq, hash FROM log_head WHERE id = 1"
INSERT: Final = (
    f"INSERT INTO log_event ({', '.join(name for name, _ in COLUMNS)}) "  # noqa: S608 -- names only
    f"VALUES ({', '.join(['%s'] * len(COLUMNS))})"
)
ADVANCE: Final = "UPDATE log_head SET seq = %s, hash = %s WHERE id = 1"


@dataclass(frozen=True, slots=True)
class NewEvent:
    """What an action says has happened."""

    at: datetime
    actor: str
    type: str
    subject: str
    service: str = ""
    environment: str = ""
    data: Mapping[str, object] = field(default_factory=dict)


def append(new: NewEvent) -> Event:
    """The entry, chained to the newest one. Call it inside the record's transaction.

    The head row is locked until the transaction ends, so numbers have no gaps and the order
    of entries is the order of commits.
    """
    assert connection.in_atomic_block, "an entry is written in the transaction of its record"
    with connection.cursor() as cursor:
        seq, previous = _head(cursor)
        event = _event(new, seq + 1, previous)
        values: list[Any] = [
            field.get_db_prep_save(getattr(event, name), connection) for name, field in COLUMNS
        ]
        advance: list[Any] = [event.seq, event.hash]
        if is_postgresql():  # in one trip to the server
            cursor.execute(f"WITH advanced AS ({ADVANCE}) {INSERT}", [*advance, *values])
        else:
            cursor.execute(INSERT, values)
            cursor.execute(ADVANCE, advance)
    return event


def _head(cursor: CursorWrapper) -> tuple[int, str]:
    """Number and hash of the newest entry, locked."""
    sql = f"{HEAD} FOR UPDATE" if is_postgresql() else HEAD  # SQLite has one writer anyway.
    cursor.execute(sql)
    row = cursor.fetchone()
    if row is None:  # The first entry of all; whoever comes at the same time waits here.
        Head.objects.get_or_create(id=1)
        cursor.execute(sql)
        row = cursor.fetchone()
    return row[0], row[1]


def _event(new: NewEvent, seq: int, previous: str) -> Event:
    event = Event(
        seq=seq,
        id=new_id(),
        at=new.at,
        actor=new.actor,
        type=new.type,
        subject=new.subject,
        service=new.service,
        environment=new.environment,
        data=canonical(new.data),
        previous=previous,
    )
    event.hash = event.sealed()
    return event
