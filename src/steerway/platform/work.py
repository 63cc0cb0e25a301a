"""Who does something, when, and what they may do: the first argument of every action."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from steerway.platform.errors import Forbidden, OutOfScope
from steerway.platform.log import actions as log
from steerway.platform.log.models import Event
from steerway.platform.roles import Role, in_scope

Starter = Callable[[str, UUID], None]


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, a token or Steerway itself.

    `grants` is the table of permissions: the least role that each asks for.
    `scopes` narrow a token further; a person's session has the scope `*`.
    """

    name: str
    role: Role
    grants: Mapping[str, Role]
    scopes: tuple[str, ...] = ("*",)

    def may(self, permission: str) -> bool:
        """Whether the role and the scopes allow `permission`."""
        return self.role.includes(self.grants[permission]) and in_scope(permission, self.scopes)


@dataclass(frozen=True, slots=True)
class Work:
    """One unit of work: its actor, its moment, and the way to what comes after it.

    `node` names the server that does it, among those that share a database.
    """

    actor: Actor
    now: datetime
    starter: Starter
    node: str = ""

    def allow(self, permission: str, *, on: str = "") -> None:
        """Go on only when the actor may do this.

        Raises:
            Forbidden: the role is too small.
            OutOfScope: the role would do, but the token's scopes leave it out.
        """
        if self.actor.may(permission):
            return
        asked = f"{permission} on {on}" if on else permission
        role = self.actor.grants[permission]
        if self.actor.role.includes(role):
            raise OutOfScope(actor=self.actor.name, permission=asked, scope=permission)
        raise Forbidden(actor=self.actor.name, permission=asked, role=role)

    def record(
        self,
        kind: str,
        subject: str,
        /,
        *,
        service: str = "",
        environment: str = "",
        **data: object,
    ) -> Event:
        """Append an event to the log, in the transaction of the record it describes."""
        event = log.NewEvent(
            at=self.now,
            actor=self.actor.name,
            type=kind,
            subject=subject,
            service=service,
            environment=environment,
            data=data,
        )
        return log.append(event)

    def start(self, workflow: str, record_id: UUID) -> None:
        """Start a workflow for a record once the transaction has committed.

        The record's id is the workflow's id, so starting twice is harmless, and a sweep
        starts what a crash left out.
        """
        transaction.on_commit(partial(self.starter, workflow, record_id))
