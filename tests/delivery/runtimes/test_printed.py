"""What replicas printed, piece by piece."""

from pathlib import Path

import pytest

from steerway.delivery.runtimes import queries
from steerway.delivery.runtimes.models import Replica

SHOP = Replica(program="shop.production.0123abcd.0")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The log of the shop's replica."""
    return tmp_path / f"{SHOP.program}.log"


def test_who_follows_gets_whole_lines_one_after_the_other(log: Path) -> None:
    log.write_text("one\ntwo\nthr")

    first = queries.printed(log.parent, SHOP, after=0, size_bytes=100)
    log.write_text("one\ntwo\nthree\n")
    second = queries.printed(log.parent, SHOP, after=first.position, size_bytes=100)

    assert (first.text, second.text) == ("one\ntwo\n", "three\n")


def test_a_line_that_never_ends_is_gone_on_with(log: Path) -> None:
    log.write_text("." * 25)
    position, seen = 0, ""

    for _ in range(3):
        printed = queries.printed(log.parent, SHOP, after=position, size_bytes=10)
        position, seen = printed.position, seen + printed.text

    assert (position, seen) == (20, "." * 20)


@pytest.mark.parametrize(("replicas", "each"), [(0, 1_000_000), (2, 1_000_000), (100, 40_000)])
def test_many_replicas_share_one_answer(replicas: int, each: int) -> None:
    assert queries.share_bytes(1_000_000, replicas) == each
