"""Targets over real HTTP: good ones, and those that would like to do harm."""

import gzip
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler

import pytest

from steerway.telemetry.ingest.rules.samples import Series
from steerway.telemetry.scraping.adapters.fetch import fetch
from steerway.telemetry.scraping.descriptor import ScrapeSection
from steerway.telemetry.scraping.errors import PageRefused, ScrapeFailed
from steerway.telemetry.scraping.rules.batch import Batch, Point, Track
from steerway.telemetry.scraping.rules.targets import Instance, Target, static, targets
from steerway.telemetry.scraping.workflows import Scraper
from steerway.telemetry.store import series_id
from tests.telemetry.scraping.pages import shown, text

NOON = 1_772_452_800_000
PATIENCE = timedelta(seconds=30)
OWN = {"job": "shop", "instance": "shop-1", "service": "shop", "version": "v2"}


def values(batches: tuple[Batch, ...]) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in batches:
        rows = zip(one.ids.tolist(), one.values.tolist(), strict=True)
        found |= {one.series[id_].metric: value for id_, value in rows}
    return found


def series(batches: tuple[Batch, ...]) -> list[Series]:
    return [one.series[id_] for one in batches for id_ in one.ids.tolist()]


def test_a_page_is_read_with_the_labels_of_its_target() -> None:
    with shown(text(b'requests_total{version="x"} 5\n')) as url:
        found = Scraper(Target(url, OWN), series_id).look(NOON)

    assert values(found)["requests_total"] == 5
    assert values(found)["up"] == 1
    assert values(found)["scrape_samples_scraped"] == 1
    assert values(found)["scrape_duration_seconds"] > 0
    assert series(found)[0].labels == OWN | {"exported_version": "x"}


def test_a_target_that_fails_is_down_and_its_series_end() -> None:
    with shown(text(b"a 1\n")) as url:
        scraper = Scraper(Target(url, OWN), series_id)
        scraper.look(NOON)

    found = values(scraper.look(NOON + 1))

    assert found["up"] == 0
    assert str(found["a"]) == "nan"
    assert "cannot be scraped" in str(scraper.failure)


def test_a_target_that_left_ends_with_everything_about_it() -> None:
    with shown(text(b"a 1\n")) as url:
        scraper = Scraper(Target(url, OWN), series_id)
        scraper.look(NOON)

        ended = scraper.end(NOON + 1)

    assert {one.metric for one in series(ended)} == {
        "a",
        "up",
        "scrape_duration_seconds",
        "scrape_samples_scraped",
    }
    assert all(str(value) == "nan" for value in values(ended).values())


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (text(b"nothing", status=500), "answers 500"),
        (text(b"<html>"), "neither a sample"),
        (text(b"", status=302, Location="http://127.0.0.1:1/"), "answers 302"),
    ],
    ids=["broken", "another page", "elsewhere"],
)
def test_what_is_not_a_page_of_metrics_is_said(answer: object, why: str) -> None:
    with shown(answer) as url:  # type: ignore[arg-type]  # one of those above
        scraper = Scraper(Target(url, OWN), series_id)
        found = values(scraper.look(NOON))

    assert found["up"] == 0
    assert why in str(scraper.failure)


def test_a_page_without_an_end_is_cut_off() -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"a 1\n" * 10_000)

    with shown(answer) as url, pytest.raises(PageRefused, match="more than 1000000 bytes"):
        fetch(url, PATIENCE, bytes_max=1_000_000)


def test_a_packed_page_that_would_unpack_to_more_is_refused() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    page = text(bomb, Content_Encoding="gzip")

    with shown(page) as url, pytest.raises(PageRefused, match="more than 1000000 bytes"):
        fetch(url, PATIENCE, bytes_max=1_000_000)


def test_a_packed_page_is_unpacked() -> None:
    page = text(gzip.compress(b"a 1\n"), Content_Encoding="gzip", Content_Type="text/plain")

    with shown(page) as url:
        assert fetch(url, PATIENCE).body == b"a 1\n"


def test_a_packed_page_that_ends_in_the_middle_is_refused() -> None:
    page = text(gzip.compress(b"a 1\n" * 1000)[:-9], Content_Encoding="gzip")

    with shown(page) as url, pytest.raises(PageRefused, match="ends in the middle"):
        fetch(url, PATIENCE)


@pytest.mark.parametrize("part", ["headers", "body"])
def test_a_page_that_comes_byte_by_byte_is_given_up(part: str) -> None:
    """Each byte comes in time, and all of them never do."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if part == "body":
            handler.send_response(200)
            handler.end_headers()
        for _ in range(500):
            handler.wfile.write(b"H")
            handler.wfile.flush()
            time.sleep(0.02)

    with shown(answer) as url, pytest.raises(ScrapeFailed, match="did not answer in time"):
        fetch(url, timedelta(seconds=0.2))


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://", "http://127.0.0.1:99999/"])
def test_an_address_where_nobody_is_fails(url: str) -> None:
    with pytest.raises(ScrapeFailed):
        fetch(url, PATIENCE)


def test_every_replica_of_every_environment_is_a_target() -> None:
    pages = {
        ("shop", "production"): [ScrapeSection(), ScrapeSection(url="http://db:9187/metrics")],
        ("shop", "testing"): [ScrapeSection(path="/m", port=9000, job="side")],
    }
    instances = [
        Instance("shop", "production", "v1", "shop-1", 20001),
        Instance("shop", "production", "v2", "shop-2", 20002),
        Instance("shop", "production", "v2", "worker", None),
        Instance("shop", "testing", "v3", "shop-3", 20003),
        Instance("ledger", "production", "v9", "ledger-1", 20004),
    ]

    found = targets(pages, instances)

    assert [(one.url, one.labels["job"], one.labels["instance"]) for one in found] == [
        ("http://db:9187/metrics", "shop", "db:9187"),
        ("http://127.0.0.1:20001/metrics", "shop", "shop-1"),
        ("http://127.0.0.1:20002/metrics", "shop", "shop-2"),
        ("http://127.0.0.1:9000/m", "side", "shop-3"),
    ]
    assert found[1].labels["version"] == "v1"
    assert "version" not in found[0].labels


def test_pages_of_the_settings_have_the_job_that_they_are_given() -> None:
    found = static(["node=http://h:9100/metrics?a=b", "http://h:9200/metrics?a=b"])

    assert [(one.url, dict(one.labels)) for one in found] == [
        ("http://h:9100/metrics?a=b", {"job": "node", "instance": "h:9100"}),
        ("http://h:9200/metrics?a=b", {"job": "h:9200", "instance": "h:9200"}),
    ]


def test_a_track_ends_what_is_not_there_any_more() -> None:
    track = Track(series_id, {"job": "host"})
    track.batch([Point("a", {}, 1), Point("b", {"x": "1"}, 2)], NOON)

    found = track.batch([Point("a", {}, 3)], NOON + 1)

    assert str(values((found,))["b"]) == "nan"
    assert values((found,))["a"] == 3
    assert len(track.batch([Point("a", {}, 3)], NOON + 2)) == 1
