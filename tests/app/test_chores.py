"""What is done again and again."""

import os
from pathlib import Path

import pytest

from steerway.app.chores import AGAIN_SECONDS, Complaint
from steerway.delivery.builds.adapters import builder as builders
from steerway.delivery.builds.adapters.builder import Builder


def test_what_goes_wrong_every_second_is_said_once_a_minute() -> None:
    seconds = iter([0.0, 1.0, AGAIN_SECONDS + 1, AGAIN_SECONDS + 1])
    complaint = Complaint(now=lambda: next(seconds))

    assert complaint.is_news("the router does not answer")
    assert not complaint.is_news("the router does not answer")
    assert complaint.is_news("the router does not answer")


def test_something_else_that_goes_wrong_is_said_at_once() -> None:
    complaint = Complaint(now=lambda: 5.0)

    assert complaint.is_news("the router does not answer")
    assert complaint.is_news("supervisord does not answer")
    assert complaint.is_news("the router does not answer")


def test_the_oldest_logs_of_builds_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builders, "LOGS_MAX", 2)
    logs = tmp_path / "log" / "builds"
    logs.mkdir(parents=True)
    for age, name in enumerate(("c", "b", "a")):
        (logs / f"{name}.log").touch()
        os.utime(logs / f"{name}.log", (100 - age, 100 - age))

    Builder(tmp_path, host={}).trim()

    assert sorted(log.name for log in logs.iterdir()) == ["b.log", "c.log"]
