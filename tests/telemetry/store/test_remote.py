"""A server elsewhere, before it is used."""

import socket
from pathlib import Path

import pytest

from steerway.telemetry.store import Store, StoreDown
from steerway.telemetry.store.remote import Remote
from tests.telemetry.store.http_interface import served


def test_a_server_that_is_not_there_is_said_to_be_out_of_reach() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://steer:way@127.0.0.1:{nobody.getsockname()[1]}/default"

        with pytest.raises(StoreDown, match="Telemetry is not reachable"):
            Remote(url, "")


def test_a_wrong_password_is_said_without_the_right_one(
    engine: Store, telemetry_home: Path
) -> None:
    with (
        served(telemetry_home, "Basic c29tZWJvZHk6ZWxzZQ==") as port,
        pytest.raises(StoreDown, match="Authentication failed") as raised,
    ):
        Remote(f"http://steer:hunter2@127.0.0.1:{port}/default", "")

    assert "hunter2" not in str(raised.value)


def test_a_cluster_must_be_known(distant: Store, telemetry_home: Path) -> None:
    with (
        served(telemetry_home, "Basic c3RlZXI6d2F5") as port,
        pytest.raises(StoreDown, match="knows no cluster telemetry"),
    ):
        Remote(f"http://steer:way@127.0.0.1:{port}/default", "telemetry")
