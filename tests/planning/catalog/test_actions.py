"""Applying, pausing and resuming services."""

import json
from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from steerway.app import descriptor
from steerway.app.descriptor_declared import declared
from steerway.planning.catalog import actions, queries
from steerway.planning.catalog.errors import (
    AlreadyPaused,
    EnvironmentUnknown,
    NotPaused,
    OnOtherServer,
    ServiceUnknown,
)
from steerway.planning.catalog.rules import Declared, Effect, State
from steerway.planning.catalog.wire import ServiceOut
from steerway.platform.errors import Forbidden
from steerway.platform.log.models import Event
from steerway.platform.work import Work

SHOP = """\
steerway: 1
service: shop
description: Sells coffee beans.
owners: [alice]
run:
  command: python -m shop
  replicas: 2
  health: {timeout: 60s}
  environment: {LOG_LEVEL: info, API_TOKEN: hunter2}
  secrets: {PAYMENT_KEY: payment-key}
environments:
  - name: testing
    run: {replicas: 1}
  - name: production
"""


def shop(*replacements: tuple[str, str]) -> Declared:
    text = SHOP
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    return declared(descriptor.load(text), directory="/srv/shop")


def applied_events() -> list[Event]:
    return list(Event.objects.filter(type="service.applied").order_by("seq"))


def test_applying_a_descriptor_adds_the_service_with_its_environments(work: Work) -> None:
    applied = actions.apply(work, shop())

    service = queries.get("shop")
    assert applied.plan.is_new
    assert (service.owners, service.state, service.applied_by) == (["alice"], "active", "alice")
    assert service.applied_at == work.now
    assert service.text == SHOP
    testing, production = queries.environments(service)
    assert (testing.name, testing.resolved["run"]["replicas"]) == ("testing", 1)
    assert (production.name, production.resolved["run"]["replicas"]) == ("production", 2)
    assert production.resolved["source"]["repository"] == "/srv/shop"
    assert testing.config_digest != production.config_digest


def test_applying_it_again_changes_nothing_and_records_nothing(work: Work) -> None:
    actions.apply(work, shop())

    again = actions.apply(work, shop())

    assert not again.plan.is_changed
    assert again.plan.differences == ()
    assert set(again.plan.effects.values()) == {Effect.SAME}
    assert len(applied_events()) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("timeout: 60s", "timeout: 1m"),
        ("owners: [alice]", "owners:\n  - alice  # she knows it best"),
        ("replicas: 2", 'replicas: 2\n  port: "auto"'),
        ("command: python -m shop", "command: 'python -m shop'"),
    ],
)
def test_what_is_written_differently_but_means_the_same_is_no_change(
    work: Work, old: str, new: str
) -> None:
    actions.apply(work, shop())

    plan = queries.plan(shop((old, new)))

    assert not plan.is_changed


def test_a_plan_shows_exactly_the_line_that_is_different(work: Work) -> None:
    actions.apply(work, shop())

    plan = queries.plan(shop(("replicas: 2", "replicas: 3")))

    assert [str(one) for one in plan.differences] == ["~ run.replicas: 2 -> 3  (steerway.yaml:7)"]
    assert plan.effects == {"testing": Effect.SAME, "production": Effect.CHANGED}


@pytest.mark.parametrize(
    ("old", "new", "difference"),
    [
        ("LOG_LEVEL: info, ", "", "- run.environment.LOG_LEVEL: info"),
        ("info, API", "info, A: b, API", "+ run.environment.A: b  (steerway.yaml:9)"),
        (
            "hunter2",
            "hunter3",
            "~ run.environment.API_TOKEN: (hidden) -> (hidden)  (steerway.yaml:9)",
        ),
        (
            ": payment-key",
            ": pay",
            "~ run.secrets.PAYMENT_KEY: secret:payment-key -> secret:pay  (steerway.yaml:10)",
        ),
        (
            "    run: {replicas: 1}",
            "    run: {replicas: 4}",
            "~ environments.testing.run.replicas: 1 -> 4  (steerway.yaml:13)",
        ),
        ("[alice]", "[alice, bob]", '~ owners: ["alice"] -> ["alice","bob"]  (steerway.yaml:4)'),
        ("60s", "61s", "~ run.health.timeout: 1m -> 61s  (steerway.yaml:8)"),
    ],
)
def test_each_kind_of_change_is_one_difference(
    work: Work, old: str, new: str, difference: str
) -> None:
    actions.apply(work, shop())

    plan = queries.plan(shop((old, new)))

    assert [str(one) for one in plan.differences] == [difference]


def test_a_plan_writes_nothing(work: Work) -> None:
    queries.plan(shop())

    with pytest.raises(ServiceUnknown, match="no service shop"):
        queries.get("shop")


def test_the_event_has_the_differences_but_never_what_looks_secret(work: Work) -> None:
    actions.apply(work, shop())
    actions.apply(work, shop(("hunter2", "hunter3"), ("replicas: 2", "replicas: 5")))

    first, second = applied_events()
    assert "hunter" not in f"{first.data}{second.data}"
    said = json.loads(second.data)
    assert said["differences_count"] == 2
    assert [one["path"] for one in said["differences"]] == [
        "run.replicas",
        "run.environment.API_TOKEN",
    ]


def test_an_environment_that_is_no_longer_declared_is_retired_and_can_return(work: Work) -> None:
    actions.apply(work, shop())
    without = ("  - name: testing\n    run: {replicas: 1}\n", "")

    gone = actions.apply(work, shop(without))

    assert gone.plan.effects == {"production": Effect.SAME, "testing": Effect.REMOVED}
    assert [one.name for one in queries.environments(gone.service)] == ["production"]
    with pytest.raises(EnvironmentUnknown, match="It has: production"):
        queries.environment(gone.service, "testing")
    back = actions.apply(work, shop())
    assert [one.name for one in queries.environments(back.service)] == ["testing", "production"]


def test_the_order_of_environments_is_a_difference(work: Work) -> None:
    actions.apply(work, shop())
    swapped = (
        "  - name: testing\n    run: {replicas: 1}\n  - name: production\n",
        "  - name: production\n  - name: testing\n    run: {replicas: 1}\n",
    )

    applied = actions.apply(work, shop(swapped))

    assert [one.path for one in applied.plan.differences] == ["environments"]
    assert queries.environment(applied.service, "").name == "testing"


def test_the_configuration_hash_returns_with_the_configuration(work: Work) -> None:
    before = actions.apply(work, shop()).service
    digest = queries.environment(before, "production").config_digest
    actions.apply(work, shop(("LOG_LEVEL: info", "LOG_LEVEL: debug")))

    after = actions.apply(work, shop()).service

    assert queries.environment(after, "production").config_digest == digest


def test_a_default_that_changed_with_steerway_is_told(work: Work) -> None:
    service = actions.apply(work, shop()).service
    service.digest = "0" * 64
    service.save()

    plan = queries.plan(shop())

    assert [one.path for one in plan.differences] == ["defaults"]


def test_a_retired_service_that_is_applied_is_active_again(work: Work) -> None:
    service = actions.apply(work, shop()).service
    service.state = State.RETIRED.value
    service.save()

    applied = actions.apply(work, shop())

    assert applied.service.state == State.ACTIVE


def test_a_viewer_may_not_apply_pause_or_resume(work: Work, guest: Work) -> None:
    service = actions.apply(work, shop()).service

    with pytest.raises(Forbidden, match=r"services\.apply on shop"):
        actions.apply(guest, shop())
    with pytest.raises(Forbidden):
        actions.pause(guest, service, reason="no")
    with pytest.raises(Forbidden):
        actions.resume(guest, service)


def test_a_paused_service_says_who_and_why_until_it_is_resumed(work: Work) -> None:
    service = actions.apply(work, shop()).service

    paused = actions.pause(work, service, reason="moving house")

    assert (paused.is_paused, paused.paused_by, paused.pause_reason) == (
        True,
        "alice",
        "moving house",
    )
    with pytest.raises(AlreadyPaused, match="paused already by alice: moving house"):
        actions.pause(work, service, reason="again")
    resumed = actions.resume(work, service)
    assert not resumed.is_paused
    with pytest.raises(NotPaused):
        actions.resume(work, service)
    kinds = Event.objects.filter(subject="shop").order_by("seq").values_list("type", flat=True)
    assert list(kinds) == ["service.applied", "service.paused", "service.resumed"]


def test_a_pause_survives_applying(work: Work) -> None:
    service = actions.apply(work, shop()).service
    actions.pause(work, service, reason="moving house")

    applied = actions.apply(work, shop(("replicas: 2", "replicas: 3")))

    assert applied.service.is_paused


def test_listing_services_takes_two_queries_however_many(work: Work) -> None:
    for number in range(12):
        actions.apply(work, shop(("service: shop", f"service: shop-{number:02}")))

    with CaptureQueriesContext(
        connection,
    ) as captured:
        found = [ServiceOut.of(service) for service in queries.all()]

    assert len(captured) == 2
    assert [one.name for one in found] == [f"shop-{number:02}" for number in range(12)]
    assert [one.name for one in found[0].environments] == ["testing", "production"]
    assert [one.name for one in queries.all(after="shop-09", rows=1)] == ["shop-10"]


def on(work: Work, node: str) -> Work:
    """The same work, done at another server that shares the database."""
    return replace(work, node=node)


def test_a_service_lives_on_the_server_that_applied_it_first(work: Work) -> None:
    actions.apply(on(work, "one"), shop())
    again = actions.apply(on(work, "one"), shop(("replicas: 2", "replicas: 3")))

    assert again.service.node == "one"
    assert list(queries.living_on("one")) == ["shop"]
    assert list(queries.living_on("two")) == []


def test_another_server_does_not_take_it_over(work: Work) -> None:
    actions.apply(on(work, "one"), shop())

    with pytest.raises(OnOtherServer, match=r"shop lives on another server \(one\)"):
        actions.apply(on(work, "two"), shop(("replicas: 2", "replicas: 3")))

    assert queries.get("shop").node == "one"
    assert len(applied_events()) == 1


def test_any_server_may_pause_and_resume_it(work: Work) -> None:
    service = actions.apply(on(work, "one"), shop()).service

    actions.pause(on(work, "two"), service, reason="x")
    actions.resume(on(work, "two"), service)

    assert queries.get("shop").node == "one"
