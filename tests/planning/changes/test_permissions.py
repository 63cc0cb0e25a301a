"""A freeze is lifted only by whoever may place one."""

from dataclasses import replace

import pytest

from steerway.planning.changes import actions as changes
from steerway.platform.errors import Forbidden
from steerway.platform.work import Work

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_a_token_for_holds_does_not_lift_the_freeze(work: Work) -> None:
    frozen = changes.freeze(work, reason="end of year")
    narrow = replace(work, actor=replace(work.actor, scopes=("changes.hold",)))

    with pytest.raises(Forbidden):
        changes.lift(narrow, frozen)
    with pytest.raises(Forbidden):
        changes.thaw(narrow)


def test_whether_there_is_a_freeze_to_end_is_not_asked_before_who_asks(guest: Work) -> None:
    with pytest.raises(Forbidden):
        changes.thaw(guest)
