"""Collectors are paused and resumed by people who may."""

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from steerway.platform.errors import Forbidden
from steerway.platform.identity.models import User
from steerway.platform.log.models import Event
from steerway.platform.work import Work
from steerway.telemetry.collectors import actions, queries
from steerway.telemetry.collectors.errors import CollectorPaused, CollectorRuns, CollectorUnknown
from steerway.telemetry.collectors.rules.board import Board, Looked
from tests.cast import NOON

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
BOARD = Board()


@pytest.fixture
def operator(db: None, settings: Settings) -> Client:
    settings.STEERWAY_BOARD = "tests.telemetry.collectors.test_pausing.BOARD"
    client = Client()
    client.force_login(User.objects.create_user("olga", role="operator"), BACKEND)
    return client


def test_pausing_and_resuming_are_recorded(work: Work) -> None:
    actions.pause(work, "host", reason="new disks")

    assert queries.paused() == {"host"}
    actions.resume(work, "host")
    assert queries.paused() == frozenset()
    types = list(Event.objects.order_by("seq").values_list("type", "subject"))
    assert types == [("collector.paused", "host"), ("collector.resumed", "host")]


def test_what_cannot_be_is_refused(work: Work, guest: Work) -> None:
    with pytest.raises(CollectorUnknown, match="There are: scrape, host"):
        actions.pause(work, "weather", reason="")
    with pytest.raises(CollectorRuns):
        actions.resume(work, "host")
    with pytest.raises(Forbidden):
        actions.pause(guest, "host", reason="")
    actions.pause(work, "host", reason="")
    with pytest.raises(CollectorPaused, match="by alice"):
        actions.pause(work, "host", reason="")


def test_the_api_lists_pauses_and_resumes(operator: Client) -> None:
    BOARD.note("host", Looked("host", "here", NOON, 0.01234, 74))
    BOARD.note("router", Looked("router", "router", NOON, 0.1, 0, "it is gone"))

    paused = operator.put(
        "/api/collectors/host/pause", {"reason": "disks"}, content_type="application/json"
    )
    found = {one["name"]: one for one in operator.get("/api/collectors").json()}
    resumed = operator.delete("/api/collectors/host/pause")

    assert (paused.status_code, resumed.status_code) == (204, 204)
    assert (found["host"]["paused_by"], found["host"]["reason"]) == ("olga", "disks")
    assert found["host"]["looks"][0]["samples"] == 74
    assert found["router"]["looks"][0]["error"] == "it is gone"
    assert found["suppliers"]["looks"] == []
