"""What happens to flags by itself."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from steerway.delivery.declarations import queries
from steerway.delivery.declarations.actions.publishing import Target
from steerway.delivery.declarations.rules.documents import file_of, reports_of
from steerway.delivery.flags import actions as deciding
from steerway.delivery.flags.adapters.files import FlagFiles
from steerway.delivery.flags.workflows import COUNTED_SECONDS, Keeper
from steerway.delivery.rollouts.models import Rollout
from steerway.delivery.rollouts.rules import steps_of
from steerway.platform.log.models import Event
from steerway.platform.work import Work

HERE = Target("shop", "new-checkout", "production")
Make = Callable[..., Keeper]


class Killed(BaseException):
    """The end of a process in the middle of something."""


class Hands:
    """A clock whose hands the test moves."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def make(work: Work, tmp_path: Path) -> Make:
    """A keeper of flags, at noon or later."""

    def made(wait: timedelta = timedelta(0), now: Hands | None = None) -> Keeper:
        then = replace(work, now=work.now + wait)
        return Keeper(FlagFiles(tmp_path), lambda: then, now=now or Hands())

    return made


def shares(home: Path) -> Any:
    document = json.loads(file_of(home, "shop", "production").read_text())
    return document["flags"]["new-checkout"]["targeting"]["fractional"]


def report(home: Path, name: str, content: object) -> None:
    folder = reports_of(home, "shop", "production")
    folder.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / name).write_text(text)


def test_replicas_find_the_flags_in_force(
    make: Make, work: Work, shop: str, tmp_path: Path
) -> None:
    keeper = make()

    keeper.look()
    assert shares(tmp_path) == [["on", 10], ["off", 90]]
    deciding.expose(work, HERE, percent=50)
    keeper.look()

    assert shares(tmp_path) == [["on", 5000], ["off", 5000]]
    assert [
        one.name for one in (tmp_path / "flags" / "shop").iterdir() if "draft" in one.name
    ] == []


def test_a_file_that_is_right_is_left_alone_and_a_spoiled_one_is_mended(
    make: Make, shop: str, tmp_path: Path
) -> None:
    make().look()
    path = file_of(tmp_path, "shop", "production")
    inode = path.stat().st_ino

    make().look()
    assert path.stat().st_ino == inode
    path.write_text("{}")
    make().look()

    assert shares(tmp_path)


def test_due_steps_are_taken(make: Make, work: Work, shop: str, tmp_path: Path) -> None:
    deciding.roll_out(work, HERE, steps=steps_of("20,50@1h"))

    make(timedelta(hours=1)).look()

    assert shares(tmp_path) == [["on", 5000], ["off", 5000]]


def test_a_step_that_a_crash_cut_off_is_taken_once_after_it(
    make: Make, work: Work, shop: str
) -> None:
    rollout = deciding.roll_out(work, HERE, steps=steps_of("20,50@1h"))
    then = replace(work, now=work.now + timedelta(hours=1))

    def cut_off() -> None:
        with transaction.atomic():
            deciding.step(then, Rollout.objects.get(pk=rollout.pk))
            raise Killed

    with pytest.raises(Killed):
        cut_off()

    assert Rollout.objects.get().position == 1
    make(timedelta(hours=1)).look()
    make(timedelta(hours=1)).look()

    assert queries.place(queries.get("shop", "new-checkout"), "production").share == 50.0
    assert Event.objects.filter(type="rollout.stepped", data__contains="50").count() == 1


def test_what_replicas_count_says_when_a_flag_was_evaluated(
    make: Make, work: Work, shop: str, tmp_path: Path
) -> None:
    hands = Hands()
    keeper = make(now=hands)
    report(tmp_path, "old.json", {"evaluations": {"new-checkout": {"on": 7}}})
    keeper.look()
    assert queries.place(queries.get("shop", "new-checkout"), "production").evaluated_at is None

    report(tmp_path, "0.json", {"evaluations": {"new-checkout": {"on": 1}, "gone": {"on": 3}}})
    hands.seconds = COUNTED_SECONDS
    keeper.look()

    places = queries.get("shop", "new-checkout").places
    assert places.get(environment="production").evaluated_at == work.now
    assert places.get(environment="testing").evaluated_at is None


@pytest.mark.parametrize(
    "content", ["", "[", "[]", '{"evaluations": 3}', '{"evaluations": {"a": 1}}', "[" * 90_000,
                '{"evaluations": {"new-checkout": {"on": "x", "off": true}}}']
)  # fmt: skip
def test_a_report_that_means_nothing_is_passed_over(
    make: Make, shop: str, tmp_path: Path, content: str
) -> None:
    hands = Hands()
    keeper = make(now=hands)
    keeper.look()

    report(tmp_path, "0.json", content)
    hands.seconds = COUNTED_SECONDS
    keeper.look()

    assert queries.get("shop", "new-checkout").places.filter(evaluated_at=None).count() == 2
