"""How the API says no: one shape, whatever is wrong."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pydantic import BaseModel

from steerway.app.api import problem, status_of
from steerway.planning.changes.models import Hold
from steerway.platform.errors import (
    Forbidden,
    Invalid,
    NotFound,
    Refused,
    SteerwayError,
    Unavailable,
)
from steerway.platform.identity.models import User
from steerway.platform.work import Work
from tests.platform.web import scene

pytestmark = [pytest.mark.django_db, pytest.mark.database]

PROBLEM = "application/problem+json"
OWNER = {"REMOTE_ADDR": "local"}


class OutOfBeans(Refused):
    message = "{title} has no beans; {status} are left."


@pytest.fixture
def owner(work: Work) -> Client:
    """The owner of the machine, at the local door, where the shop is declared."""
    scene.apply(work, "shop", "Sells coffee beans.", "alice", 2)
    return Client(**OWNER)  # type: ignore[arg-type] # its options are typed as bools


def asked(answer: Any) -> dict[str, Any]:
    """The problem in an answer."""
    assert answer["Content-Type"] == PROBLEM
    found: dict[str, Any] = json.loads(answer.content)
    assert found["status"] == answer.status_code
    assert {"type", "title", "status", "detail"} <= set(found)
    return found


@pytest.mark.parametrize(
    ("kind", "status"),
    [(Forbidden, 403), (NotFound, 404), (Refused, 409), (Invalid, 422), (Unavailable, 503)],
)
def test_each_kind_of_error_has_its_status(kind: type[SteerwayError], status: int) -> None:
    named = type("BeansGone", (kind,), {"message": "No beans."})

    assert status_of(named()) == status
    assert named.code() == "beans-gone"


def test_a_field_never_hides_what_a_problem_says() -> None:
    error = OutOfBeans(title="shop", status=3, detail="x", type="y", beans={1})

    body = json.loads(problem(409, str(error), "/errors/out-of-beans", error.fields).content)

    assert body == {
        "type": "/errors/out-of-beans",
        "title": "Refused",
        "status": 409,
        "detail": "shop has no beans; 3 are left.",
        "beans": "{1}",
    }


def test_something_unknown_is_named_with_its_fields(owner: Client) -> None:
    found = asked(owner.get("/api/services/tea"))

    assert found["type"] == "/errors/service-unknown"
    assert found["service"] == "tea"
    assert (
        found["detail"]
        == "There is no service tea. `steerway apply` adds the one in steerway.yaml."
    )


def test_a_refusal_is_a_conflict(owner: Client) -> None:
    asking = {"reason": "stock-taking"}
    assert owner.put("/api/freeze", asking, "application/json").status_code == 201

    found = asked(owner.put("/api/freeze", asking, "application/json"))

    assert (found["status"], found["type"]) == (409, "/errors/already-frozen")
    assert found["reason"] == "stock-taking"


def test_every_mistake_in_a_request_is_named(owner: Client) -> None:
    found = asked(owner.post("/api/holds", {"service": ""}, "application/json"))

    assert (found["status"], found["type"]) == (422, "/errors/request-invalid")
    assert [error["where"] for error in found["errors"]] == [
        "body.body.service",
        "body.body.reason",
    ]
    assert "body.body.reason: Field required" in found["detail"]


@pytest.mark.parametrize("query", ["rows=0", "rows=201", "rows=x", "before=0", "before=1e9"])
def test_a_page_has_bounds(owner: Client, query: str) -> None:
    found = asked(owner.get(f"/api/changes?{query}"))

    assert found["type"] == "/errors/request-invalid"
    assert found["errors"][0]["where"] == f"query.{query.partition('=')[0]}"


def test_a_body_that_is_not_json_cannot_be_read(owner: Client) -> None:
    found = asked(owner.post("/api/holds", "{", "application/json"))

    assert (found["status"], found["title"]) == (400, "The request cannot be read")


def test_an_address_that_is_not_there_is_a_problem_too(owner: Client) -> None:
    found = asked(owner.get("/api/beans"))

    assert found["status"] == 404


def test_a_method_that_an_address_does_not_have_is_a_problem_too(owner: Client) -> None:
    answer = owner.delete("/api/changes")

    assert asked(answer)["status"] == 405
    assert "GET" in answer["Allow"]


def test_what_a_viewer_may_not_do_says_whom_to_ask(owner: Client) -> None:
    viewer = Client()
    viewer.force_login(User.objects.create_user("guest", role="viewer"))

    found = asked(viewer.put("/api/freeze", {"reason": "x"}, "application/json"))

    assert (found["status"], found["type"]) == (403, "/errors/forbidden")
    assert found["detail"] == "guest may not changes.freeze. Ask somebody with the role operator."
    assert Hold.objects.count() == 0


def test_a_stranger_is_asked_to_sign_in() -> None:
    answer = Client().get("/api/status")

    assert asked(answer)["type"] == "/errors/unauthenticated"
    assert answer["WWW-Authenticate"] == 'Bearer realm="steerway"'


def test_no_two_shapes_have_one_name() -> None:
    """The description has one place for each name, so one of two would describe both."""
    names = Counter(
        shape.__name__
        for shape in shapes()
        if shape.__module__.startswith("steerway.") and shape.__module__.endswith((".wire", ".api"))
    )

    assert [name for name, count in names.items() if count > 1] == []


def shapes(kind: type[BaseModel] = BaseModel) -> Iterator[type[BaseModel]]:
    for one in kind.__subclasses__():
        yield one
        yield from shapes(one)
