"""The database of records: where it is, and how servers that share it take turns."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier, Event

import pytest
from django.db import connection, connections, transaction

from steerway.platform.db import Remembered, django_database, new_id, one_server_at_a_time
from steerway.telemetry.collectors.models import PausedCollector

SERVERS = 3


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "postgresql://steerway:p%40ss@db.example:5433/records",
            ("records", "steerway", "p@ss", "db.example", 5433),
        ),
        (
            "postgresql:///steerway?host=/run/postgresql",
            ("steerway", "", "", "/run/postgresql", ""),
        ),
        ("postgresql:///steerway", ("steerway", "", "", "", "")),
        (
            "postgresql://db/steerway?sslmode=require&host=/ignored",
            ("steerway", "", "", "db", ""),
        ),
    ],
)
def test_an_address_names_a_database(url: str, expected: tuple[object, ...]) -> None:
    found = django_database(url, Path("records.db"))

    assert found["ENGINE"] == "django.db.backends.postgresql"
    assert tuple(found[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")) == expected


def test_how_to_connect_is_passed_on() -> None:
    url = "postgresql://db/steerway?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem&host=/x"

    options = django_database(url, Path("records.db"))["OPTIONS"]

    assert options == {"sslmode": "verify-full", "sslrootcert": "/etc/ca.pem"}


def test_without_an_address_it_is_a_file() -> None:
    found = django_database("", Path("/srv/records.db"))

    assert (found["ENGINE"], found["NAME"]) == ("django.db.backends.sqlite3", "/srv/records.db")


def test_ids_are_sorted_by_the_time_they_were_made() -> None:
    made = [new_id() for _ in range(1000)]

    assert made == sorted(made)
    assert len(set(made)) == 1000


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one server")
def test_servers_that_share_a_database_take_turns() -> None:
    together, inside = Barrier(SERVERS), Event()

    def visit(_: int) -> bool:
        try:
            together.wait()
            with one_server_at_a_time():
                was_alone = not inside.is_set()
                inside.set()
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_sleep(0.05)")
                inside.clear()
            return was_alone
        finally:
            connections.close_all()

    with ThreadPoolExecutor(SERVERS) as pool:
        assert list(pool.map(visit, range(SERVERS))) == [True] * SERVERS


@pytest.mark.django_db(transaction=True)
def test_what_is_remembered_is_asked_again_once_somebody_has_committed() -> None:
    asked = 0

    def ask() -> int:
        nonlocal asked
        asked += 1
        return PausedCollector.objects.count()

    remembered = Remembered(ask)
    assert (remembered(), remembered()) == (0, 0)
    quiet = asked

    pause("host")
    assert remembered() == 1
    in_another_thread(lambda: pause("router"))
    assert remembered() == 2

    assert quiet == (2 if connection.vendor == "postgresql" else 1)


@pytest.mark.django_db(transaction=True)
def test_what_is_remembered_is_asked_again_by_another_thread() -> None:
    remembered = Remembered(PausedCollector.objects.count)
    remembered()
    found: list[int] = []

    pause("host")
    in_another_thread(lambda: found.append(remembered()))

    assert found == [1]


@pytest.mark.django_db
def test_nothing_is_remembered_of_what_may_be_rolled_back() -> None:
    remembered = Remembered(PausedCollector.objects.count)

    with transaction.atomic():
        pause("host")
        assert remembered() == 1
        transaction.set_rollback(True)

    assert remembered() == 0


def pause(collector: str) -> None:
    PausedCollector.objects.create(name=collector, paused_at=datetime.now(UTC), paused_by="ada")


def in_another_thread(task: Callable[[], object]) -> None:
    def do() -> None:
        task()
        connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(do).result()
