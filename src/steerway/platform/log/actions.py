"""Writing to the log: there is one verb."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from steerway.platform.db import new_id
from steerway.platform.log.models import Event, Head
from steerway.platform.log.rules import canonical


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
    head, _ = Head.objects.select_for_update().get_or_create(id=1)
    event = Event(
        seq=head.seq + 1,
        id=new_id(),
        at=new.at,
        actor=new.actor,
        type=new.type,
        subject=new.subject,
        service=new.service,
        environment=new.environment,
        data=canonical(new.data),
        previous=head.hash,
    )
    event.hash = event.sealed()
    event.save(force_insert=True)
    head.seq, head.hash = event.seq, event.hash
    head.save(update_fields=["seq", "hash"])
    return event
