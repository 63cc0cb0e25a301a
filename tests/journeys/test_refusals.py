"""What cannot be deployed stops before anything changed, says why, and leaves nothing behind."""

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from tests.journeys import processes
from tests.journeys.conftest import Founder
from tests.journeys.installation import Done, Installation, until

pytestmark = pytest.mark.journey
HEALTH: Final = {"path": "/healthz", "timeout": "2s", "interval": "100ms"}
LEFT_MB: Final = 150  # of what a deployment asks for


@contextmanager
def unchanged(installation: Installation) -> Iterator[None]:
    """What runs, serves and lies on disk is the same afterwards, and v1 still answers."""
    before = installation.traces()
    yield
    assert installation.traces() == before
    assert installation.shop_version() == "v1"


def refused(done: Done, code: int, sentence: str) -> None:
    """It left with this code, and its first line says this."""
    first = done.stderr.strip().splitlines()[0]
    assert (done.code, "Traceback" in done.stderr) == (code, False), done
    assert re.search(sentence, first), first


@pytest.fixture
def shop(serving: Installation) -> Iterator[Installation]:
    """The shop as its descriptor says, whatever a test makes of it."""
    yield serving
    serving.apply()


@pytest.mark.parametrize(
    ("run", "ref", "sentence"),
    [
        (
            {"environment": {"REGION": None}},
            "v2",
            r"shop needs REGION in production, and nothing sets it\.",
        ),
        (
            {"secrets": {"PAYMENT_KEY": "payment-key", "TOKEN": "supplier-token"}},
            "v2",
            r"shop in production needs supplier-token, which nobody has set\.",
        ),
        ({}, "v2-broken-build", r"`python build.py` ended with exit code 1\."),
        ({}, "v99", r"has no branch, tag or commit v99\."),
        ({"command": "no-such-program"}, "v2", r"cannot start no-such-program"),
    ],
    ids=["variable", "secret", "build", "ref", "command"],
)
def test_what_is_missing_or_broken_stops_a_deployment(
    shop: Installation, run: dict[str, Any], ref: str, sentence: str
) -> None:
    shop.apply(run={"health": HEALTH, **run})

    with unchanged(shop):
        refused(shop.steerway("deploy", "shop", "--ref", ref), 1, sentence)


def test_a_program_that_ignores_its_port_is_told_where_it_listens_instead(
    shop: Installation,
) -> None:
    wrong = shop.port + 5
    command = f"env PORT={wrong} python -m shop"
    shop.apply(run={"health": HEALTH, "command": command, "replicas": 1})

    with unchanged(shop):
        done = shop.steerway("deploy", "shop", "--ref", "v2")

    refused(done, 1, rf"the process listens on {wrong} instead: does it read PORT\?")


def test_an_environment_or_service_that_is_not_declared_is_refused(shop: Installation) -> None:
    with unchanged(shop):
        done = shop.steerway("deploy", "shop", "--env", "moon")
        refused(done, 1, r"shop has no environment moon\. It has: testing, production\.")
        refused(shop.steerway("deploy", "shp", "--env", "x"), 1, r"There is no service shp\.")


def test_a_build_that_somebody_kills_is_a_failed_build(shop: Installation) -> None:
    before = shop.traces()
    shop.apply(build={"command": "sleep 613"})
    ref = shop.begin("v2")

    def builder() -> list[int]:
        return [pid for pid, c in processes.of(shop.home).items() if c.startswith("sleep 613")]

    os.kill(until(builder, "the build runs")[0], signal.SIGKILL)
    ended = shop.ended(ref)

    assert ended["state"] == "failed"
    assert re.search(
        r"`sleep 613` (was ended by signal 9|ended with exit code 137)", ended["error"]
    )
    assert shop.traces() == before


def test_a_stranger_who_takes_the_replicas_port_is_named(shop: Installation) -> None:
    shop.apply(run={"health": HEALTH})

    with ExitStack() as strangers, unchanged(shop):
        for port in shop.replica_ports:
            take(strangers, port, listens=False)  # nobody sees it before the replica tries
        done = shop.steerway("deploy", "shop", "--ref", "v2")

    refused(done, 1, r"shop\.production\.\w+\.\d ended before it was healthy")
    assert "cannot listen" in done.stderr


def test_a_replica_goes_where_no_stranger_listens(shop: Installation) -> None:
    with ExitStack() as strangers, unchanged(shop):
        for port in shop.replica_ports:
            take(strangers, port)
        done = shop.steerway("deploy", "shop", "--ref", "v2")

    refused(done, 1, r"No port is free from \d+ to \d+\.")


@pytest.mark.skipif(os.geteuid() != 0, reason="a file system of its own is mounted as root only")
def test_a_full_disk_stops_a_deployment_before_it_begins(found: Founder) -> None:
    installation = found()
    with small_disk(installation):
        installation.start()
        installation.deploy("v1")
        fill(installation.home, LEFT_MB)
        installation.apply(run={"replicas": 1})

        with unchanged(installation):
            done = installation.steerway("deploy", "shop", "--ref", "v2")
            refused(done, 1, r"Only \d+ MB are free for .*; a deployment needs 200 MB\.")

        (installation.home / "filling").unlink()
        assert installation.deploy("v2")["state"] == "succeeded"
        installation.ok("down")


@pytest.mark.parametrize("which", ["port", "router_port"])
def test_a_taken_port_keeps_steerway_from_starting(found: Founder, which: str) -> None:
    installation = found()
    port = getattr(installation, which)

    with ExitStack() as strangers:
        take(strangers, port)
        done = installation.steerway("up")

        refused(done, 1, rf"[Pp]ort {port} .*taken by another program")
        assert not processes.of(installation.home)


def take(strangers: ExitStack, port: int, *, listens: bool = True) -> None:
    """Have a stranger hold a port that is free."""
    stranger = strangers.enter_context(socket.socket())
    try:
        stranger.bind(("127.0.0.1", port))
    except OSError:
        return
    if listens:
        stranger.listen(1)


@contextmanager
def small_disk(installation: Installation) -> Iterator[None]:
    """The home directory on a file system of 400 MB."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=400m,mode=700", "tmpfs", str(installation.home)]
    subprocess.run(mount, check=True)
    try:
        yield
    finally:
        installation.steerway("down")
        subprocess.run(["umount", "--lazy", str(installation.home)], check=True)


def fill(home: Path, left_mb: int) -> None:
    """Leave only so much room."""
    status = os.statvfs(home)
    with (home / "filling").open("wb") as file:
        os.posix_fallocate(
            file.fileno(), 0, status.f_bavail * status.f_frsize - left_mb * 1_000_000
        )
