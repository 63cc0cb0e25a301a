"""Exposures of a shop, from the counts of its replicas to the switch."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from steerway.delivery.declarations import queries as flags
from steerway.delivery.declarations.actions import declaring
from steerway.delivery.declarations.actions.publishing import Target
from steerway.delivery.declarations.models import Place
from steerway.delivery.exposures import queries
from steerway.delivery.exposures.models import ExposureJudgement
from steerway.delivery.exposures.workflows import Judge
from steerway.delivery.flags import actions as deciding
from steerway.delivery.rollouts.models import Rollout
from steerway.delivery.rollouts.rules import steps_of
from steerway.planning.catalog import actions as catalog
from steerway.planning.catalog import queries as services
from steerway.platform.log.models import Event
from steerway.platform.work import Work
from tests.delivery.flags.conftest import METADATA, ROLLOUT, dave, file, flag, shop

__all__ = ["dave", "shop"]
pytestmark = [pytest.mark.django_db, pytest.mark.database]

HERE = Target("shop", "new-checkout", "production")
FAILING = (5, 15, 0)  # of each look: what fails and what does not with it on; what fails with off
FINE = (0, 20, 0)


class Killed(BaseException):
    """The end of a process in the middle of something."""


class Shop:
    """One replica that counts, and the judge that looks every two seconds."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.totals = {"on": {"ok": 0, "error": 0}, "off": {"ok": 0, "error": 0}}
        self.replica = "0.1"
        self.turn_off: Any = deciding.turn_off

    def judge(self) -> Judge:
        """A judge as a server that begins has it."""
        return Judge(self.outcomes, self.turn_off, lambda: self.work)

    def outcomes(self, service: str, environment: str) -> Mapping[str, Any]:
        """What lies beside the flags."""
        return {self.replica: {"new-checkout": self.totals}} if environment == "production" else {}

    def serve(self, looks: int, counts: tuple[int, int, int]) -> None:
        """So many looks, before each of which requests end."""
        failed, fine, failed_rest = counts
        for _ in range(looks):
            self.totals["on"]["error"] += failed
            self.totals["on"]["ok"] += fine
            self.totals["off"]["error"] += failed_rest
            self.totals["off"]["ok"] += 80
            self.look()

    def look(self) -> None:
        """Two seconds later."""
        self.work = replace(self.work, now=self.work.now + timedelta(seconds=2))
        self.judge().look()

    def restart(self) -> None:
        """Another process, which counts from zero."""
        self.replica = "0.2"
        self.totals = {name: dict.fromkeys(row, 0) for name, row in self.totals.items()}

    @property
    def place(self) -> Place:
        """The flag in production."""
        return flags.place(flags.get("shop", "new-checkout"), "production")

    @property
    def turned_off(self) -> int:
        """How often it was."""
        return Event.objects.filter(type="flag.turned-off").count()


@pytest.fixture
def stage(work: Work, shop: str) -> Shop:
    """A flag that a fifth of users have, watched long enough to be judged."""
    deciding.expose(work, HERE, percent=20)
    found = Shop(work)
    found.serve(2, FINE)
    return found


def test_a_variant_that_fails_is_turned_off_once_with_both_counts(stage: Shop) -> None:
    stage.serve(10, FAILING)

    place = stage.place
    assert (place.is_off, place.off_by, stage.turned_off) == (True, "alice", 1)
    assert place.off_reason.startswith("on is worse than off: ")
    assert "0 % of " in place.off_reason
    assert "and 1,000 decides" in place.off_reason
    assert place.off_evidence["failed"] > 0
    assert ExposureJudgement.objects.get(place=place).state == "worse"


def test_one_that_fails_no_more_often_than_the_rest_stays(stage: Shop) -> None:
    stage.serve(10, (1, 19, 4))

    found = queries.standing(stage.place)
    assert not stage.place.is_off
    assert found is not None
    assert found.words.endswith("5 % of 200 requests failed with on, 4.76 % of 840 with off.")


def test_what_was_counted_before_it_was_exposed_says_nothing(work: Work, shop: str) -> None:
    stage = Shop(work)
    stage.totals = {"on": {"ok": 0, "error": 900}, "off": {"ok": 900, "error": 0}}
    deciding.expose(work, HERE, percent=20)

    stage.serve(6, FINE)

    assert not stage.place.is_off
    assert ExposureJudgement.objects.get(place=stage.place).failed == 0


def test_too_few_requests_change_nothing_and_are_shown(stage: Shop) -> None:
    before = queries.standing(stage.place)
    stage.totals["on"]["error"] += 3
    stage.look()

    found = queries.standing(stage.place)
    assert not stage.place.is_off
    assert before is not None
    assert found is not None
    assert (found.answer, found.seen.failed) == ("not enough data", 3)


def test_a_server_that_is_killed_while_it_turns_off_does_it_once_after_that(stage: Shop) -> None:
    def cut_off(*given: Any, **named: Any) -> None:
        deciding.turn_off(*given, **named)
        raise Killed

    stage.turn_off = cut_off
    with pytest.raises(Killed):
        stage.serve(10, FAILING)
    before = (stage.place.is_off, stage.turned_off)
    stage.turn_off = deciding.turn_off
    stage.look()
    stage.look()

    assert before == (False, 0)
    assert (stage.place.is_off, stage.turned_off) == (True, 1)


def test_evidence_goes_on_over_a_replica_and_a_server_that_begin_again(stage: Shop) -> None:
    stage.serve(1, FAILING)
    near = ExposureJudgement.objects.get(place=stage.place).nearness
    stage.restart()
    stage.look()

    assert 0 < near < 1
    assert ExposureJudgement.objects.get(place=stage.place).nearness == near
    stage.serve(3, FAILING)
    assert stage.place.is_off


def test_turned_on_again_it_is_judged_anew(stage: Shop) -> None:
    stage.serve(10, FAILING)
    deciding.turn_on(stage.work, HERE)
    stage.serve(2, FAILING)
    fresh = ExposureJudgement.objects.get(place=stage.place)

    assert (stage.place.is_off, fresh.failed, fresh.nearness) == (False, 0, 0.0)
    stage.serve(10, FAILING)
    assert stage.turned_off == 2


def test_a_service_that_is_paused_keeps_its_flag_until_it_is_resumed(stage: Shop) -> None:
    catalog.pause(stage.work, services.get("shop"), reason="looking")

    stage.serve(10, FAILING)

    found = queries.standing(stage.place)
    assert found is not None
    assert (stage.place.is_off, found.state, found.title) == (False, "judging", "Worse")
    catalog.resume(stage.work, services.get("shop"))
    stage.serve(1, FAILING)
    assert (stage.place.is_off, stage.turned_off) == (True, 1)


def test_a_flag_that_says_so_is_not_judged(stage: Shop) -> None:
    metadata = {**METADATA, "judge": False}
    declaring.apply(stage.work, "shop", file(new_checkout=flag(ROLLOUT, metadata=metadata)))

    stage.serve(10, FAILING)

    found = queries.standing(stage.place)
    assert not stage.place.is_off
    assert found is not None
    assert (found.state, found.title) == ("exempt", "Not judged")


@pytest.mark.parametrize("percent", [0, 100])
def test_one_that_nobody_or_everybody_has_is_not_judged(stage: Shop, percent: int) -> None:
    deciding.expose(stage.work, HERE, percent=percent)

    stage.serve(10, FAILING)

    assert not stage.place.is_off
    assert ExposureJudgement.objects.get(place=stage.place).state == "ended"


def test_a_rollout_waits_while_its_variant_looks_worse(stage: Shop) -> None:
    rollout = deciding.roll_out(stage.work, HERE, steps=steps_of("20,50@1h"))
    ExposureJudgement.objects.filter(place=stage.place).update(
        answer="hold", requests=20, failed=2, requests_rest=80
    )

    deciding.step(replace(stage.work, now=stage.work.now + timedelta(hours=1)), rollout)

    waits = Rollout.objects.get().waits_for
    assert waits.startswith("Looks worse, without proof: 10 % of 20 requests failed with on")


def test_the_page_and_the_api_say_how_it_compares(stage: Shop) -> None:
    stage.serve(2, (1, 19, 4))
    owner = Client(REMOTE_ADDR="local")

    (found,) = [
        one
        for one in owner.get("/api/flags/shop/new-checkout").json()["judged"]
        if one["environment"] == "production"
    ]
    page = owner.get("/flags/shop/new-checkout?environment=production").content.decode()

    assert (found["requests"], found["failed"], found["requests_rest"]) == (40, 2, 168)
    assert found["words"] in page
    assert "of the evidence that turns it off" in page
