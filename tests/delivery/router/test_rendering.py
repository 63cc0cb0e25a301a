"""The files that Envoy gets, compared with the ones that were reviewed.

UPDATE_GOLDEN=1 writes them anew; review the difference.
"""

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from steerway.delivery.router.adapters import bootstrap, xds
from steerway.delivery.router.rules import (
    Endpoint,
    Health,
    Share,
    Table,
    Version,
    VirtualHost,
)

GOLDEN = Path(__file__).parent / "golden"
SITE = bootstrap.Site(Path("/home/run"), Path("/home/log"), "127.0.0.1", 8080)
FIRST = Version(
    "shop-production-1", "shop", "production", "v1", (Endpoint("127.0.0.1", 20001),), Health()
)
SECOND = Version(
    "shop-production-2",
    "shop",
    "production",
    "v2",
    (Endpoint("127.0.0.1", 20002), Endpoint("127.0.0.1", 20003)),
    Health(path=None, interval=timedelta(milliseconds=250)),
    idle=timedelta(seconds=60),
)


def host(*shares: Share) -> VirtualHost:
    return VirtualHost(
        "shop-production",
        "shop",
        "production",
        ("shop.localhost", "shop.production.localhost"),
        shares,
    )


def reviewed(name: str, text: str) -> str:
    if os.environ.get("UPDATE_GOLDEN"):
        (GOLDEN / name).write_text(text)
    return (GOLDEN / name).read_text()


WHOLE = Table((host(Share("shop-production-1", 100)),), (FIRST,))
SHARED = Table(
    (host(Share("shop-production-1", 90), Share("shop-production-2", 10)),), (FIRST, SECOND)
)


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("bootstrap", bootstrap.bootstrap(SITE)),
        ("listeners", bootstrap.listeners(SITE)),
        ("clusters-whole", xds.clusters(WHOLE)),
        ("clusters-shared", xds.clusters(SHARED)),
        ("routes-whole", xds.routes(WHOLE)),
        ("routes-shared", xds.routes(SHARED)),
        ("routes-empty", xds.routes(Table((host(),)))),
    ],
)
def test_files_are_as_reviewed(name: str, document: dict[str, Any]) -> None:
    text = json.dumps(document, indent=1) + "\n"

    assert text == reviewed(f"{name}.json", text)


def test_a_host_with_one_share_uses_no_composite_cluster() -> None:
    assert "composite" not in json.dumps(xds.clusters(WHOLE))
    assert "weighted_clusters" not in json.dumps(xds.routes(WHOLE))


def test_files_can_be_read_back() -> None:
    clusters = {one["name"]: one for one in xds.clusters(SHARED)["resources"]}
    assert xds.listed(clusters["shop-production-2"]) == SECOND.endpoints
    assert xds.routed(xds.routes(SHARED)) == {
        "shop-production": {"shop-production-1", "shop-production-2"},
        "nowhere": set(),
    }


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(seconds=15), "15s"),
        (timedelta(0), "0s"),
        (timedelta(milliseconds=250), "0.25s"),
        (timedelta(minutes=10), "600s"),
    ],
)
def test_durations_are_written_as_protobuf_reads_them(duration: timedelta, text: str) -> None:
    assert xds.seconds(duration) == text
