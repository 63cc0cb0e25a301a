"""Tokens: less than their owner, narrowed by scopes, for a time."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from steerway.app.permissions import PERMISSIONS
from steerway.platform.errors import Forbidden
from steerway.platform.identity import actions, queries, tokens
from steerway.platform.identity.errors import (
    BeyondOwn,
    ExpiryInvalid,
    OwnerMissing,
    RoleUnknown,
    ScopeUnknown,
    TokenNameTaken,
    TokenUnknown,
)
from steerway.platform.identity.models import Token, User
from steerway.platform.log import queries as log
from steerway.platform.roles import Role
from steerway.platform.work import Work
from tests.cast import actor
from tests.platform.identity.conftest import CAST
from tests.platform.identity.stage import kinds

pytestmark = [pytest.mark.django_db, pytest.mark.database]
Works = Callable[[str], Work]


def ask(secret: str, permission: str) -> Any:
    headers = {"Authorization": f"Bearer {secret}"}
    return Client(enforce_csrf_checks=True).post(f"/api/probe/{permission}", headers=headers)


@pytest.mark.parametrize("name", CAST)
@pytest.mark.parametrize("permission", PERMISSIONS)
def test_each_role_may_what_the_table_says(works: Works, name: str, permission: str) -> None:
    may = Role(CAST[name]).includes(PERMISSIONS[permission])

    assert works(name).actor.may(permission) is may


@pytest.mark.parametrize("name", CAST)
def test_a_token_of_each_role_gets_through_exactly_where_the_role_may(
    works: Works, name: str
) -> None:
    _, secret = tokens.create(works(name), name="ci", days=1)

    answers = {permission: ask(secret, permission).status_code for permission in PERMISSIONS}

    role = Role(CAST[name])
    assert answers == {p: 200 if role.includes(least) else 403 for p, least in PERMISSIONS.items()}


@pytest.mark.parametrize(
    ("scopes", "permission", "status"),
    [
        (["*"], "deployments.start", 200),
        (["deployments.*"], "deployments.start", 200),
        (["deployments.start"], "deployments.start", 200),
        (["deployments.start", "secrets.list"], "secrets.list", 200),
        (["deployments.start"], "deployments.cancel", 403),
        (["secrets.*"], "deployments.start", 403),
        (["secrets.*"], "secrets.set", 403),  # in scope, but above dave's role
    ],
)
def test_scopes_narrow_a_token(
    works: Works, scopes: list[str], permission: str, status: int
) -> None:
    _, secret = tokens.create(works("dave"), name="ci", days=1, scopes=scopes)

    assert ask(secret, permission).status_code == status


def test_what_a_refused_request_wrote_is_not_kept(works: Works) -> None:
    _, secret = tokens.create(works("guest"), name="ci", days=1)

    assert ask(secret, "people.manage").status_code == 403
    assert "probe.asked" not in kinds()
    assert ask(secret, "records.read").content == b'"guest/ci"'
    assert "probe.asked" in kinds()


def test_a_token_ends_with_its_day_its_owner_and_its_revocation(
    works: Works, people: dict[str, User]
) -> None:
    work = works("dave")
    token, secret = tokens.create(work, name="ci", days=1)

    assert queries.bearer(secret, work.now + timedelta(hours=23)) == token
    assert queries.bearer(secret, work.now + timedelta(hours=24)) is None
    people["dave"].is_active = False
    people["dave"].save()
    assert ask(secret, "records.read").status_code == 401
    people["dave"].is_active = True
    people["dave"].save()
    tokens.revoke(work, token.pk)
    answer = ask(secret, "records.read")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["type"] == "/errors/unauthenticated"


def test_a_token_sinks_with_its_owner_s_role(works: Works) -> None:
    _, secret = tokens.create(works("olga"), name="ci", days=1)
    assert ask(secret, "services.pause").status_code == 200

    actions.change_role(works("alice"), "olga", role="viewer")

    assert ask(secret, "services.pause").status_code == 403


def test_a_token_asks_for_no_more_than_its_owner_and_maker_have(works: Works) -> None:
    with pytest.raises(BeyondOwn, match="role operator"):
        tokens.create(works("dave"), name="ci", days=1, role="operator")
    with pytest.raises(BeyondOwn):
        tokens.create(works("alice"), name="ci", days=1, owner="guest", role="admin")
    with pytest.raises(Forbidden):
        tokens.create(works("dave"), name="ci", days=1, owner="alice")


def test_a_narrow_token_makes_no_wider_one(works: Works) -> None:
    wide = works("dave")
    narrow = replace(wide, actor=replace(wide.actor, scopes=("tokens.create", "secrets.list")))

    tokens.create(narrow, name="same", days=1, scopes=["secrets.list"])

    for scopes in (["*"], ["secrets.*"], ["deployments.start"]):
        with pytest.raises(BeyondOwn):
            tokens.create(narrow, name="wider", days=1, scopes=scopes)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"days": 0}, ExpiryInvalid),
        ({"days": 366}, ExpiryInvalid),
        ({"scopes": ["nothing.here"]}, ScopeUnknown),
        ({"scopes": []}, ScopeUnknown),
        ({"role": "boss"}, RoleUnknown),
    ],
)
def test_a_token_out_of_bounds_is_refused(
    works: Works, fields: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        tokens.create(works("dave"), **{"name": "ci", "days": 1, **fields})


def test_a_name_is_free_again_after_revocation_or_expiry(works: Works) -> None:
    work = works("dave")
    token, _ = tokens.create(work, name="ci", days=1)

    with pytest.raises(TokenNameTaken):
        tokens.create(work, name="ci", days=1)
    tokens.create(replace(work, now=work.now + timedelta(days=2)), name="ci", days=1)
    assert not queries.live_tokens(work.now).filter(pk=token.pk).exists()


def test_only_the_owner_and_who_manages_tokens_revokes(works: Works) -> None:
    token, _ = tokens.create(works("dave"), name="ci", days=1)

    with pytest.raises(TokenUnknown):
        tokens.revoke(works("guest"), token.pk)
    assert queries.tokens_seen_by(works("guest")) == []
    assert queries.tokens_seen_by(works("alice")) == [token]
    tokens.revoke(works("alice"), token.pk)
    with pytest.raises(TokenUnknown):
        tokens.revoke(works("alice"), token.pk)


def test_the_machine_s_own_user_names_an_owner(works: Works) -> None:
    local = replace(works("alice"), actor=actor("local:root", Role.ADMIN))

    with pytest.raises(OwnerMissing, match="Say whose token"):
        tokens.create(local, name="ci", days=1)
    token, _ = tokens.create(local, name="ci", days=1, owner="dave")
    assert (token.owner.username, token.role) == ("dave", "developer")


def test_a_secret_is_nowhere_but_in_the_answer_that_made_it(works: Works) -> None:
    token, secret = tokens.create(works("dave"), name="ci", days=1)

    stored = str(list(Token.objects.values_list())) + repr(token) + repr(vars(token))
    events = str([log.cloudevent(e) for e in log.newest(log.Filter(), rows=10)])
    assert secret not in stored + events
    assert secret[14:] not in stored + events


def test_last_used_is_noted_to_within_minutes(works: Works) -> None:
    token, _ = tokens.create(works("dave"), name="ci", days=1)
    now = works("dave").now

    for minutes in (0, 4, 6):
        token.refresh_from_db()
        tokens.touch(token, now + timedelta(minutes=minutes))

    token.refresh_from_db()
    assert token.last_used_at == now + timedelta(minutes=6)


def test_a_wrong_token_never_falls_back_to_the_session(
    browser: Callable[[str], Client], works: Works
) -> None:
    answer = browser("alice").get("/api/me", headers={"Authorization": "Bearer swy_wrong"})

    assert answer.status_code == 401


def test_the_api_gives_the_secret_once(browser: Callable[[str], Client]) -> None:
    client = browser("dave")

    made = client.post(
        "/api/tokens", {"name": "ci", "days": 30}, content_type="application/json"
    ).json()

    assert ask(made["secret"], "records.read").status_code == 200
    listed = client.get("/api/tokens")
    assert made["secret"] not in listed.content.decode()
    assert [t["name"] for t in listed.json()] == ["ci"]
    assert client.delete(f"/api/tokens/{made['id']}").status_code == 204
    assert ask(made["secret"], "records.read").status_code == 401
