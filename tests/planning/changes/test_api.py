"""Changes, holds and the freeze over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from steerway.planning.changes import actions
from steerway.planning.changes.actions import Intent
from steerway.platform.work import Work
from tests.platform.web import scene

pytestmark = [pytest.mark.django_db, pytest.mark.database]

Meant = Callable[..., Intent]
JSON = "application/json"


@pytest.fixture
def owner(work: Work) -> Client:
    """The owner of the machine, at the local door, where the shop is declared."""
    scene.apply(work, "shop", "Sells coffee beans.", "alice", 2)
    return Client(REMOTE_ADDR="local")  # type: ignore[arg-type] # its options are typed as bools


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"]


def test_changes_are_listed_and_shown(owner: Client, work: Work, meant: Meant) -> None:
    actions.propose(work, meant(why="Faster search", facts={"ref": "v2"}))
    actions.propose(work, meant(environment="testing"))

    listed = owner.get("/api/changes?environment=production").json()

    assert [change["ref"] for change in listed] == ["CHG-1"]
    assert owner.get("/api/changes/chg-1").json() == {
        "ref": "CHG-1",
        "kind": "deployment",
        "service": "shop",
        "environment": "production",
        "summary": "Deploy v2 in production",
        "why": "Faster search",
        "emergency": False,
        "requested_by": "alice",
        "opened_at": "2026-03-02T12:00:00Z",
        "state": "open",
        "closed_at": None,
        "outcome": "",
        "facts": {"ref": "v2"},
    }
    assert problem(owner.get("/api/changes/CHG-9")) == (404, "/errors/change-unknown")


def test_a_service_is_held_and_let_go(owner: Client) -> None:
    answer = owner.post("/api/holds", {"service": "shop", "reason": " Stock-taking "}, JSON)

    assert answer.status_code == 201
    assert (answer.json()["ref"], answer.json()["reason"]) == ("HLD-1", "Stock-taking")
    assert [held["ref"] for held in owner.get("/api/holds").json()] == ["HLD-1"]
    assert owner.delete("/api/holds/HLD-1").status_code == 204
    assert owner.get("/api/holds").json() == []
    assert problem(owner.delete("/api/holds/HLD-1")) == (404, "/errors/hold-unknown")


def test_only_what_is_declared_can_be_held(owner: Client) -> None:
    answer = owner.post("/api/holds", {"service": "tea", "reason": "x"}, JSON)

    assert problem(answer) == (404, "/errors/service-unknown")


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_a_brake_has_a_reason_of_some_length(owner: Client, reason: str) -> None:
    hold = owner.post("/api/holds", {"service": "shop", "reason": reason}, JSON)
    freeze = owner.put("/api/freeze", {"reason": reason}, JSON)

    assert problem(hold) == problem(freeze) == (422, "/errors/request-invalid")


def test_everything_is_frozen_and_thawed(owner: Client) -> None:
    answer = owner.put("/api/freeze", {"reason": "Audit"}, JSON)
    wish = {"service": "shop", "environment": "production"}

    assert (answer.status_code, answer.json()["brake"]) == (201, "freeze")
    assert problem(owner.put("/api/freeze", {"reason": "x"}, JSON)) == (
        409,
        "/errors/already-frozen",
    )
    assert problem(owner.post("/api/deployments", wish, JSON)) == (409, "/errors/held")
    assert owner.delete("/api/freeze").status_code == 204
    assert problem(owner.delete("/api/freeze")) == (409, "/errors/not-frozen")
    assert owner.post("/api/deployments", wish, JSON).status_code == 202


def test_a_refused_change_leaves_no_trace(owner: Client) -> None:
    owner.put("/api/freeze", {"reason": "Audit"}, JSON)
    before = owner.get("/api/log?rows=1").json()[0]["seq"]

    owner.put("/api/freeze", {"reason": "x"}, JSON)

    assert owner.get("/api/log?rows=1").json()[0]["seq"] == before
    assert len(owner.get("/api/holds").json()) == 1
