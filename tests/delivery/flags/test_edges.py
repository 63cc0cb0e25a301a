"""Flags over HTTP and on pages."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from steerway.delivery.declarations.actions import declaring
from steerway.platform.identity.models import User
from steerway.platform.work import Work
from tests.delivery.flags.conftest import METADATA, ROLLOUT, SHOP, file, flag

pytestmark = [pytest.mark.django_db, pytest.mark.database]

HERE = "/api/flags/shop/new-checkout/production"
PAGE = "/flags/shop/new-checkout"
JSON = "application/json"
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def owner() -> Client:
    """The owner of the machine, at the local door."""
    return Client(REMOTE_ADDR="local")  # type: ignore[arg-type] # its options are typed as bools


@pytest.fixture
def alice() -> Client:
    """Alice at a browser."""
    client = Client()
    client.force_login(User.objects.create_user("alice", role="admin"), BACKEND)
    return client


def put(client: Client, path: str, body: Any) -> Any:
    return client.put(path, json.dumps(body), content_type=JSON)


def test_a_flag_is_exposed_rolled_out_turned_off_and_on(owner: Client, shop: str) -> None:
    assert put(owner, f"{HERE}/exposure", {"percent": 40}).json()["share"] == 40.0
    assert owner.delete(f"{HERE}/exposure").json()["share"] == 10.0
    begun = owner.post(f"{HERE}/rollout", {"steps": "20%,50%@1h"}, content_type=JSON)
    assert (begun.status_code, begun.json()["position"]) == (201, 1)
    assert owner.get(f"{HERE}/rollout").json()[0]["steps"] == ["20%", "50%@1h"]
    assert owner.delete(f"{HERE}/rollout").status_code == 204
    assert put(owner, f"{HERE}/off", {"reason": "It loses orders."}).json()["share"] == 0.0
    assert owner.delete(f"{HERE}/off").json()["share"] == 20.0


def test_flags_are_listed_shown_and_exported(owner: Client, shop: str) -> None:
    (listed,) = owner.get("/api/flags?service=shop").json()
    shown = owner.get("/api/flags/shop/new-checkout").json()
    document = owner.get("/api/flags/shop/documents/production").json()

    assert (listed["key"], listed["owner"], listed["places"][1]["share"]) == (
        "new-checkout", "checkout", 10.0
    )  # fmt: skip
    assert shown["definition"]["targeting"] == ROLLOUT
    assert document["flags"]["new-checkout"]["targeting"] == ROLLOUT
    assert owner.get("/api/flags/debt").status_code == 200


def test_a_flag_is_made_and_retired(owner: Client, shop: str) -> None:
    made = put(owner, "/api/flags/shop/banner", {"definition": flag()})
    wrong = put(owner, "/api/flags/shop/other", {"definition": {"state": "ON"}})

    assert (made.status_code, made.json()["origin"]) == (200, "steerway")
    assert (wrong.status_code, wrong.json()["type"]) == (422, "/errors/flag-file-invalid")
    assert owner.delete("/api/flags/shop/banner").status_code == 204
    assert owner.get("/api/flags/shop/banner").status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (f"{HERE}/exposure", {"percent": 400}, 422),
        (f"{HERE}/exposure", {"percent": 40, "variant": "blue"}, 422),
        ("/api/flags/shop/gone/production/exposure", {"percent": 4}, 404),
        ("/api/flags/shop/new-checkout/nowhere/exposure", {"percent": 4}, 404),
        (f"{HERE}/off", {"reason": " "}, 422),
    ],
)
def test_what_makes_no_sense_is_refused(
    owner: Client, shop: str, path: str, body: Any, status: int
) -> None:
    assert put(owner, path, body).status_code == status


def test_a_rollout_needs_steps_and_a_moment_with_a_zone(owner: Client, shop: str) -> None:
    for body in ({"steps": "x"}, {"steps": "10%", "begins_at": "2026-03-02T09:00"}):
        assert owner.post(f"{HERE}/rollout", body, content_type=JSON).status_code == 422


def test_a_descriptor_is_planned_and_applied_with_its_flag_file(owner: Client, shop: str) -> None:
    flags = json.dumps({"flags": {"new-checkout": flag(), "x": flag()}})
    body = {"text": SHOP, "directory": "/srv/shop", "flags": flags}

    planned = owner.post("/api/services/shop/plan", body, content_type=JSON).json()
    put(owner, "/api/services/shop", body)

    assert {one["file"] for one in planned["differences"]} == {"flags.json"}
    assert planned["is_changed"]
    assert len(owner.get("/api/flags?service=shop").json()) == 2
    again = owner.post("/api/services/shop/plan", body, content_type=JSON).json()
    assert (again["is_changed"], again["differences"]) == (False, [])


def test_a_descriptor_whose_flag_file_is_missing_or_wrong_is_refused(
    owner: Client, shop: str
) -> None:
    bare = put(owner, "/api/services/shop", {"text": SHOP})
    wrong = put(owner, "/api/services/shop", {"text": SHOP, "flags": '{"flags": {"a": {}}}'})

    assert bare.json()["type"] == "/errors/flag-file-missing"
    assert wrong.json()["problems"][0]["file"] == "flags.json"


def test_the_pages_show_who_has_what(alice: Client, shop: str) -> None:
    listed = alice.get("/flags").content.decode()
    shown = alice.get(PAGE).content.decode()

    assert "10 % on" in listed
    assert "10 % on, 90 % off" in shown
    assert alice.get("/flags/shop/gone").status_code == 404


def test_the_switch_is_one_click_and_a_reason(alice: Client, shop: str) -> None:
    form = {"environment": "production", "why": "It loses orders."}

    assert alice.post(f"{PAGE}/off", {"environment": "production"}).status_code == 422
    assert alice.post(f"{PAGE}/off", form).status_code == 302
    assert "Off for everybody in production: It loses orders." in (alice.get(PAGE).content.decode())
    assert alice.post(f"{PAGE}/on", form).status_code == 302


def test_shares_and_steps_are_set_on_the_page(alice: Client, shop: str) -> None:
    form = {"environment": "production", "why": "", "variant": "on"}

    assert alice.post(f"{PAGE}/exposure", {**form, "percent": "12.5"}).status_code == 302
    assert "12.5 % on" in alice.get(PAGE).content.decode()
    assert alice.post(f"{PAGE}/restoration", form).status_code == 302
    assert alice.post(f"{PAGE}/rollout", {**form, "steps": "20%,50%@1h"}).status_code == 302
    assert "Rolling out" in alice.get(PAGE).content.decode()
    assert alice.post(f"{PAGE}/rollout/stop", form).status_code == 302
    assert alice.post(f"{PAGE}/exposure", form).status_code == 422


def test_a_list_costs_as_many_queries_for_many_flags_as_for_one(
    alice: Client, work: Work, shop: str
) -> None:
    alice.get("/flags")
    with CaptureQueriesContext(
        connection,
    ) as few:
        alice.get("/flags")
    many = {f"flag-{n}": flag(metadata=METADATA) for n in range(30)}
    declaring.apply(work, shop, file(**many))

    with CaptureQueriesContext(connection) as more:
        alice.get("/flags")

    assert len(more) == len(few)
