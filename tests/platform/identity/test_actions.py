"""People: invited, let in by a link, given roles, shown out."""

from dataclasses import replace
from datetime import timedelta

import pytest

from steerway.platform.errors import Forbidden
from steerway.platform.identity import actions, queries, rules
from steerway.platform.identity.errors import (
    LastAdmin,
    LinkSpent,
    NameInvalid,
    NameTaken,
    PersonDisabled,
    RoleUnknown,
)
from steerway.platform.identity.models import LoginLink, User
from steerway.platform.work import Work
from tests.cast import NOON
from tests.platform.identity.stage import kinds

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def secret_of(path: str | None) -> str:
    assert path is not None
    return path.removeprefix("/link/")


def test_the_first_link_makes_one_admin_and_lasts_a_quarter_of_an_hour(work: Work) -> None:
    name, path = actions.first_link(work)
    first = secret_of(path)

    link = queries.open_link(first, NOON + timedelta(minutes=14))
    assert (link.user.username, link.user.role) == (name, "admin")
    with pytest.raises(LinkSpent):
        queries.open_link(first, NOON + timedelta(minutes=15))


def test_a_second_first_link_is_for_the_same_admin_and_spends_the_first(work: Work) -> None:
    first = secret_of(actions.first_link(work)[1])
    User.objects.update(last_login=NOON)
    second = secret_of(actions.first_link(work)[1])

    assert User.objects.count() == 1
    assert queries.open_link(second, NOON).user.username == "admin"
    with pytest.raises(LinkSpent):
        queries.open_link(first, NOON)


def test_a_link_is_stored_as_a_hash_and_works_once(work: Work) -> None:
    secret = secret_of(actions.invite(work, "bob", role="developer"))

    assert secret not in str(list(LoginLink.objects.values_list()))
    assert actions.use_link(work, secret).username == "bob"
    with pytest.raises(LinkSpent, match="Ask an admin"):
        actions.use_link(work, secret)
    assert kinds() == ["user.invited", "user.link-used"]


def test_an_invitation_ends_after_a_day(work: Work) -> None:
    secret = secret_of(actions.invite(work, "bob", role="viewer"))

    with pytest.raises(LinkSpent):
        actions.use_link(replace(work, now=NOON + timedelta(hours=24)), secret)


def test_a_new_link_replaces_the_one_before(work: Work) -> None:
    first = secret_of(actions.invite(work, "bob", role="viewer"))
    second = secret_of(actions.login_link(work, "bob"))

    with pytest.raises(LinkSpent):
        actions.use_link(work, first)
    assert actions.use_link(work, second).username == "bob"


def test_what_is_wrong_with_an_invitation_is_said(work: Work) -> None:
    actions.invite(work, "bob", role="viewer")

    with pytest.raises(NameTaken, match="bob is taken"):
        actions.invite(work, "bob", role="viewer")
    with pytest.raises(NameInvalid, match="lower-case"):
        actions.invite(work, "local:root", role="viewer")
    with pytest.raises(RoleUnknown, match="viewer, developer, operator and admin"):
        actions.invite(work, "carol", role="boss")


@pytest.mark.parametrize("name", ["steerway", "anonymous", "local", "system"])
def test_nobody_signs_the_log_as_steerway_itself(work: Work, name: str) -> None:
    with pytest.raises(NameTaken):
        actions.invite(work, name, role="viewer")
    assert rules.name_from(name) == "person"


def test_only_who_manages_people_does(guest: Work) -> None:
    for attempt in (
        lambda: actions.first_link(guest),
        lambda: actions.invite(guest, "bob", role="admin"),
        lambda: actions.login_link(guest, "guest"),
        lambda: actions.change_role(guest, "guest", role="admin"),
        lambda: actions.disable(guest, "guest"),
        lambda: actions.enable(guest, "guest"),
        lambda: actions.clear_factors(guest, "guest"),
        lambda: queries.everybody(guest),
    ):
        with pytest.raises(Forbidden):
            attempt()


def test_the_last_admin_stays_admin(work: Work) -> None:
    actions.invite(work, "alice", role="admin")
    actions.invite(work, "bob", role="admin")

    actions.disable(work, "bob")

    with pytest.raises(LastAdmin, match="alice is the last admin"):
        actions.change_role(work, "alice", role="operator")
    with pytest.raises(LastAdmin):
        actions.disable(work, "alice")
    assert actions.change_role(work, "alice", role="admin").role == "admin"


def test_a_disabled_person_is_out_until_enabled(work: Work) -> None:
    actions.invite(work, "alice", role="admin")
    secret = secret_of(actions.invite(work, "bob", role="viewer"))

    actions.disable(work, "bob")

    with pytest.raises(LinkSpent):
        actions.use_link(work, secret)
    with pytest.raises(PersonDisabled):
        actions.login_link(work, "bob")
    actions.enable(work, "bob")
    assert actions.login_link(work, "bob")
    assert kinds()[-3:] == ["user.disabled", "user.enabled", "user.link-made"]


def test_a_change_of_role_says_what_was_before(work: Work) -> None:
    actions.invite(work, "bob", role="viewer")

    assert actions.change_role(work, "bob", role="operator").role == "operator"
    assert kinds() == ["user.invited", "user.role-changed"]


def test_long_spent_links_are_removed(work: Work) -> None:
    actions.invite(work, "bob", role="viewer")

    actions.tidy(replace(work, now=NOON + timedelta(days=9)))

    assert LoginLink.objects.count() == 0
