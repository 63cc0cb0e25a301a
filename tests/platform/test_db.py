"""The database of records: where it is, and how servers that share it take turns."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import pytest
from django.db import connection, connections

from steerway.platform.db import django_database, new_id, one_server_at_a_time

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
