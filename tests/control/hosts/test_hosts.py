"""Hosts by their newest values."""

from datetime import timedelta

import pytest
from django.test import Client

from steerway.control.hosts import queries, rules
from steerway.control.hosts.errors import HostUnknown
from steerway.platform import clock
from steerway.platform.identity.models import User
from steerway.telemetry.metrics import queries as metrics
from steerway.telemetry.store import Store
from steerway.telemetry.vectors.shapes import Vector
from tests.platform.web import measured
from tests.telemetry.seeding import seed_samples

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def test_a_host_says_what_it_has_left(store: Store) -> None:
    now = clock.now()
    measured.measure(store, now, measured.SHORT)

    found = queries.hosts(store, now=now)

    assert [one.name for one in found] == ["desk"]
    assert found[0].is_heard
    assert found[0].memory_ratio == pytest.approx(0.4375)
    assert found[0].fullest_ratio == pytest.approx(0.92)
    assert found[0].load == pytest.approx(0.8)


def test_a_host_that_fell_silent_has_no_values_and_is_still_listed(store: Store) -> None:
    now = clock.now()
    measured.measure(store, now, measured.SHORT)

    found = queries.host(store, "desk", now=now + timedelta(hours=1))

    assert not found.is_heard
    assert found.cpu_ratio is None


def test_a_host_that_nobody_heard_of_is_unknown(store: Store) -> None:
    with pytest.raises(HostUnknown, match="Nothing was heard of a host attic"):
        queries.host(store, "attic", now=clock.now())


def test_the_fullest_file_system_comes_first(store: Store) -> None:
    now = clock.now()
    measured.measure(store, now, measured.SHORT)

    found = queries.file_systems(store, "desk", now=now)

    assert [(one.mountpoint, one.tone) for one in found] == [("/data", "warn"), ("/", "good")]


def test_the_certificate_that_ends_first_comes_first(store: Store) -> None:
    now = clock.now()
    for path, days in (("/a.pem", 90), ("/b.pem", 3)):
        ends = (now + timedelta(days=days, hours=1)).timestamp()
        labels = {"path": path, "job": "certificates"}
        metric = "certificate_not_after_timestamp_seconds"
        seed_samples(store, metric, labels, [(now.timestamp() - 30, ends)])

    found = queries.certificates(store, now=now)

    assert [(one.name, one.days_left, one.tone) for one in found] == [
        ("/b.pem", 3, "bad"),
        ("/a.pem", 90, "good"),
    ]


def test_replicas_are_listed_with_what_they_take(store: Store) -> None:
    now = clock.now()
    measured.measure(store, now, measured.SHORT)

    found = queries.processes(store, now=now)

    assert {(one.service, one.version, one.instance) for one in found} == {
        ("shop", "v1.12", "shop.0"),
        ("shop", "v1.12", "shop.1"),
    }
    assert all(one.cpu_cores and one.memory_bytes for one in found)


def test_every_question_of_a_host_is_understood(store: Store) -> None:
    measured.measure(store, clock.now(), measured.SHORT)

    for chart in rules.charts("desk"):
        for query in chart.queries:
            text = query.text.replace("$__rate_interval", "2m")
            assert isinstance(metrics.instant(store, text, at=clock.now()).value, Vector), text


@pytest.mark.django_db
def test_the_page_of_an_unknown_host_says_so_in_its_place(store: Store) -> None:
    client = Client()
    client.force_login(User.objects.create_user("alice", role="viewer"), BACKEND)

    answer = client.get("/hosts/attic/facts")

    assert answer.status_code == 200
    assert "Nothing was heard of a host attic" in answer.content.decode()
