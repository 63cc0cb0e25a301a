"""Server time and SQL queries of every status and list page, in a small and in a big installation.

    python benchmarks/bench_pages.py

Each page is asked for through Django's whole stack, signed in as a person (the API too), in one
process without a network. The bound is 50 ms median in the big installation. `cpu` is the median
of this process' own processor time, which neighbours on the machine do not change (with SQLite
the database is part of it), and `ratio` is that of big to small.
"""

import json
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from databases import DATABASES, ask

BOUND_MS: Final = 50
WARM, TIMES = 3, 21
SMALL: Final = (10, 10, 2000)
BIG: Final = (1000, 10, 1_000_000)  # services, deployments to each environment, events

PAGES: Final = (
    "/",
    "/services", "/services?after={service}", "/services?q=-000", "/services?q=nothing",
    "/services/{service}", "/services/{service}/descriptor",
    "/deployments", "/deployments?before={middle}", "/deployments?service={service}",
    "/deployments?environment=testing", "/deployments?environment=nowhere",
    "/deployments?service={service}&environment=testing", "/deployments/{deployment}",
    "/releases", "/releases?service={service}", "/releases/{release}",
    "/changes", "/changes?before={middle}", "/changes?service={service}",
    "/changes?environment=testing", "/changes?environment=nowhere", "/changes/{change}",
    "/log", "/log?before={event}", "/log?service={service}", "/log?subject={deployment}",
    "/log?type=deployment.succeeded", "/log?type=nothing.happened", "/log?actor=alice",
    "/log?since={since}", "/log?service={service}&type=change.opened",
    "/log?type=deployment.succeeded&actor=alice", "/log?service={service}&since={since}",
    "/log?actor=alice&type=nothing.happened", "/log?service={service}&actor=nobody",
    "/log/{event}",
    "/search?q=", "/search?q={service}", "/search?q={deployment}", "/search?q=nothing",
    "/settings", "/people", "/account",
    "/api/ready", "/api/status", "/api/status?service={service}", "/api/status?after={service}",
    "/api/services", "/api/services/{service}",
    "/api/deployments", "/api/deployments?service={service}&environment=testing&rows=200",
    "/api/deployments/{deployment}",
    "/api/releases?service={service}",
    "/api/changes", "/api/changes?service={service}&rows=200", "/api/changes/{change}",
    "/api/holds", "/api/log", "/api/log?rows=500", "/api/log?service={service}",
    "/api/log?type=change.opened&rows=200", "/api/log?service={service}&since={since}",
    "/api/me", "/api/people", "/api/tokens",
)  # fmt: skip


def main() -> None:
    over = 0
    for database in DATABASES:
        small = ask(__file__, database, *map(str, SMALL))
        big = ask(__file__, database, *map(str, BIG))
        over += show(database, small, big)
    print(f"Pages over {BOUND_MS} ms, or whose queries grow: {over}")


def show(database: str, small: dict[str, Any], big: dict[str, Any]) -> int:
    """Print one table; how many pages miss the bound."""
    counts = ", ".join(f"{count:,} {what}" for what, count in big["rows"].items())
    print(f"\n{database}: {counts}")
    print(f"filled in {big['seconds']:.0f} s; the chain of hashes verifies: {big['verifies']}")
    print(
        f"Medians of {TIMES}; small: {SMALL[0]} services, {SMALL[2]:,} events; "
        f"big: {BIG[0]:,} services, {BIG[2]:,} events\n"
    )
    print(
        f"{'page':58}{'queries':>8}{'small':>9}{'big':>9}{'p95':>9}{'least':>9}{'cpu':>9}{'ratio':>7}"
    )
    misses = 0
    for page, now in big["pages"].items():
        before = small["pages"][page]
        ratio = now["cpu"] / before["cpu"]
        notes = [f"was {before['queries']} queries"] * (now["queries"] != before["queries"])
        notes += ["over the bound"] * (now["median"] > BOUND_MS)
        misses += bool(notes)
        print(
            f"{page:58}{now['queries']:8}{before['median']:6.1f} ms{now['median']:6.1f} ms"
            f"{now['p95']:6.1f} ms{now['least']:6.1f} ms{now['cpu']:6.1f} ms{ratio:7.2f}"
            f"  {', '.join(notes)}"
        )
    return misses


def work(services: int, rounds: int, events: int) -> dict[str, Any]:
    """Fill the database and ask for every page."""
    from seeding import Size, fill, hand  # noqa: PLC0415 -- Django is loaded now

    from steerway.platform.log import queries as log  # noqa: PLC0415 -- the same

    began = time.monotonic()
    fill(hand(), Size(services, rounds, events))
    seconds = time.monotonic() - began
    names = _names()
    client = _client()
    pages = {page: _measured(client, page.format(**names)) for page in PAGES}
    verdict = log.verify()
    return {
        "seconds": seconds,
        "rows": _rows(),
        "pages": pages,
        "verifies": verdict.bad is None and verdict.entries == log.last_seq(),
    }


def _names() -> dict[str, object]:
    """Something from the middle of everything."""
    from seeding import name  # noqa: PLC0415 -- Django is loaded now

    from steerway.delivery.deployments import queries as deployments  # noqa: PLC0415 -- the same
    from steerway.planning.catalog import queries as catalog  # noqa: PLC0415 -- the same
    from steerway.platform.log import queries as log  # noqa: PLC0415 -- the same

    service = name(catalog.count() // 2)
    found = deployments.newest(service=service)[0]
    assert found.release
    last = log.last_seq()
    return {
        "service": service,
        "middle": deployments.newest(rows=1)[0].number // 2,
        "deployment": found.ref,
        "release": found.release.id,
        "change": found.change.ref,
        "event": last // 2,
        "since": log.newest(log.Filter(), before=last - 500, rows=1)[0].at.strftime("%FT%TZ"),
    }


def _client() -> Any:
    """A browser in which an admin is signed in."""
    from django.test import Client  # noqa: PLC0415 -- Django is loaded now

    from steerway.platform.identity.models import User  # noqa: PLC0415 -- the same

    user = User.objects.create(username="alice", role="admin", is_active=True)
    client = Client(raise_request_exception=True, SERVER_NAME="localhost")
    client.force_login(user)
    return client


def _measured(client: Any, url: str) -> dict[str, float]:
    times, processor = [], []
    for attempt in range(WARM + TIMES):
        with _counted() as queries:
            began, used = time.perf_counter(), time.thread_time()
            answer = client.get(url)
            size = len(answer.content)
            processor.append(1000 * (time.thread_time() - used))
            times.append(1000 * (time.perf_counter() - began))
        assert answer.status_code == 200, (url, answer.status_code, answer.content[:500])
        if attempt == WARM:
            count = len(queries)
    times = sorted(times[WARM:])
    p95 = times[round(0.95 * (len(times) - 1))]
    return {
        "median": statistics.median(times),
        "p95": p95,
        "least": times[0],
        "cpu": statistics.median(processor[WARM:]),
        "queries": count,
        "bytes": size,
    }


@contextmanager
def _counted() -> Iterator[list[str]]:
    from django.db import connection  # noqa: PLC0415 -- Django is loaded now

    queries: list[str] = []

    def note(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:  # noqa: FBT001 -- Django's shape
        queries.append(sql)
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(note):
        yield queries


def _rows() -> dict[str, int]:
    from steerway.delivery.deployments.models import Deployment  # noqa: PLC0415 -- Django is loaded
    from steerway.delivery.runtimes.models import Replica  # noqa: PLC0415 -- the same
    from steerway.planning.catalog.models import Service  # noqa: PLC0415 -- the same
    from steerway.planning.changes.models import Change  # noqa: PLC0415 -- the same
    from steerway.platform.log.models import Event  # noqa: PLC0415 -- the same

    return {
        "services": Service.objects.count(),
        "deployments": Deployment.objects.count(),
        "changes": Change.objects.count(),
        "replicas": Replica.objects.count(),
        "living": Replica.objects.filter(retired_at=None).count(),
        "events": Event.objects.count(),
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        from steerway.app import django_setup

        django_setup.prepare()
        print(json.dumps(work(*map(int, sys.argv[2:5]))))
    else:
        main()
