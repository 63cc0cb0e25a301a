"""The cast of the tests: who they are, what time it is, and what they started."""

from datetime import UTC, datetime
from uuid import UUID

from steerway.app.permissions import PERMISSIONS
from steerway.platform.roles import Role
from steerway.platform.work import Actor

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Started(list[tuple[str, UUID]]):
    """The workflows that actions asked for, in order."""

    def __call__(self, workflow: str, record_id: UUID) -> None:
        """Note one."""
        self.append((workflow, record_id))


def actor(name: str, role: Role) -> Actor:
    """A person of the cast, with the real table of permissions."""
    return Actor(name=name, role=role, grants=PERMISSIONS)
