"""Golden signals: the questions, the parts below them, and markers."""

from datetime import timedelta

import pytest
from django.test import Client

from steerway.app import descriptor
from steerway.app.descriptor_declared import declared
from steerway.control.signals import queries, rules
from steerway.control.signals.rules import Place
from steerway.planning.catalog import actions as catalog
from steerway.platform import clock
from steerway.platform.identity.models import User
from steerway.telemetry.metrics import queries as metrics
from steerway.telemetry.store import Store
from steerway.telemetry.vectors.shapes import Vector
from tests.platform.web import measured, scene

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
SHOP = Place("shop", "production", memory_bytes=256_000_000, cpus=0.5)
PARTS = ("endpoints", "slowest", "errors", "coverage")


def test_every_question_is_understood_and_answered(store: Store) -> None:
    now = clock.now()
    measured.measure(store, now, measured.SHORT)
    at = now - timedelta(seconds=5)

    for chart in rules.charts(SHOP):
        for query in chart.queries:
            text = query.text.replace("$__rate_interval", "2m")
            found = metrics.instant(store, text, at=at).value
            assert isinstance(found, Vector), text
            assert len(found.values), text


def test_a_version_without_failures_has_a_share_of_zero_and_one_without_traffic_none(
    store: Store,
) -> None:
    now = clock.now()
    measured.measure(store, now, measured.SHORT)
    errors = rules.charts(SHOP)[1].queries[0].text.replace("$__rate_interval", "2m")
    without = errors.replace("5..", "7..")

    failed = metrics.instant(store, errors, at=now).value
    clean = metrics.instant(store, without, at=now).value
    early = metrics.instant(store, errors, at=now - timedelta(days=1)).value

    assert isinstance(failed, Vector)
    assert isinstance(clean, Vector)
    assert isinstance(early, Vector)
    assert [round(float(one[0]), 4) for one in failed.values] == [0.0064]
    assert [float(one[0]) for one in clean.values] == [0.0]
    assert not len(early.values)


def test_endpoints_are_counted_without_what_differs(store: Store) -> None:
    now = clock.now()
    measured.measure(store, now, measured.SHORT)

    found = queries.endpoints(
        store,
        service="shop",
        environment="production",
        start=now - timedelta(hours=1),
        end=now,
    )

    assert [(one.method, one.path, one.requests) for one in found] == [
        ("GET", "/items/…", 133),
        ("POST", "/checkout", 67),
    ]


def test_limits_of_a_replica_are_lines_on_its_charts() -> None:
    cpu, memory = rules.saturation(SHOP)

    assert [one.value for one in cpu.thresholds] == [0.5]
    assert [one.value for one in memory.thresholds] == [256_000_000]


@pytest.mark.django_db
def test_each_part_is_a_part_whatever_the_store_says() -> None:
    client = Client()
    client.force_login(User.objects.create_user("alice", role="viewer"), BACKEND)
    scene.play(clock.now())

    for name in PARTS:
        answer = client.get(f"/services/shop/signals/{name}")
        assert answer.status_code == 200
        assert "<html" not in answer.content.decode()


@pytest.mark.django_db
def test_a_deployment_is_a_marker_that_leads_to_its_page() -> None:
    client = Client()
    client.force_login(User.objects.create_user("alice", role="viewer"), BACKEND)
    now = clock.now()
    made = scene.play(now)
    since = (now - timedelta(hours=6)).isoformat().replace("+", "%2B")
    until = now.isoformat().replace("+", "%2B")

    answer = client.get(f"/api/markers?service=shop&from={since}&until={until}").json()

    assert [(one["url"], one["tone"]) for one in answer["markers"]] == [
        (f"/deployments/{made.good}", "brand")
    ]


@pytest.mark.django_db
def test_who_is_not_signed_in_sees_no_part() -> None:
    assert Client().get("/services/shop/signals/endpoints").status_code == 302


@pytest.mark.django_db
def test_a_service_that_serves_nothing_has_no_charts_of_traffic() -> None:
    client = Client()
    client.force_login(User.objects.create_user("alice", role="viewer"), BACKEND)
    text = "steerway: 1\nservice: mailer\nrun:\n  command: python -m mailer\n  port: none\n"
    work = scene.at(clock.now())
    catalog.apply(work, declared(descriptor.load(text, "steerway.yaml")))

    page = client.get("/services/mailer").content.decode()

    assert 'aria-label="CPU"' in page
    assert 'aria-label="Traffic"' not in page
    assert "signals/endpoints" not in page
