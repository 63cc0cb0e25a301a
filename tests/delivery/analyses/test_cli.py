"""A canary in the terminal: its commands, on the real API without a socket between."""

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from django.test import Client
from pytest_django.fixtures import Settings

from steerway.delivery.analyses.cli import canary
from steerway.delivery.deployments.cli import watch
from steerway.platform import clock
from steerway.platform.client import Problem
from steerway.platform.identity.models import User
from tests.platform.web import judged
from tests.platform.web.judged import Played

pytestmark = [pytest.mark.django_db, pytest.mark.database]

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


class Direct:
    """What commands ask the server with, without a socket."""

    def __init__(self) -> None:
        self._client = Client()
        alice = User.objects.create_user("alice", role="admin")
        self._client.force_login(alice, BACKEND)

    def get(self, path: str) -> Any:
        return self._answer(self._client.get(path))

    def post(self, path: str, body: Any = None) -> Any:
        return self._answer(self._client.post(path, body or {}, content_type="application/json"))

    def _answer(self, answer: Any) -> Any:
        if answer.status_code >= 400:
            raise Problem(answer.status_code, answer.json())
        return answer.json()


@pytest.fixture
def played(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Played:
    settings.STEERWAY_STARTER = "tests.platform.web.scene.start"
    direct = Direct()
    for edge in ("analyses", "deployments"):
        monkeypatch.setattr(f"steerway.delivery.{edge}.cli.connect", lambda: direct)
    return judged.play(clock.now())


def run(command: click.Command, *words: str) -> Result:
    return CliRunner().invoke(command, list(words), standalone_mode=False)


def test_watch_says_in_a_pipe_what_a_canary_came_to(played: Played) -> None:
    said = run(watch, played.worse)

    lines = said.stdout.splitlines()
    judging = [line for line in lines if line.startswith("    ")]
    assert said.return_value == 1
    assert lines[0].endswith("roastery in production · canary")
    assert judging[0].startswith("       5 %  Not enough data at 5 % yet")
    assert "Worse, by errors" in judging[-1]
    assert "stable 0.00 %." in judging[-1]
    assert lines.index(judging[-1]) < next(
        at for at, line in enumerate(lines) if line.startswith("  ✗ judge")
    )
    assert f"{played.worse} rolled-back: " in said.stderr


def test_watch_draws_the_ladder_and_both_versions_for_whoever_looks(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steerway.delivery.deployments.cli.is_interactive", lambda: True)

    said = run(watch, played.worse)

    assert "✗ 5 %   · 25 %   · 50 %   · 100 %" in said.stdout
    assert "Worse: taken back from 5 %" in said.stdout
    assert "█" * 20 in said.stdout


def test_show_tells_and_draws(played: Played, tmp_path: Path) -> None:
    file = tmp_path / "evidence.svg"

    said = run(canary, "show", played.flying, "--picture", str(file))

    assert "v9 beside v7 · roastery in production · running at 5 %" in said.stdout
    assert "▸ 5 %   · 25 %" in said.stdout
    assert "Latency, p99" in said.stdout
    assert file.read_text().startswith("<svg ")


def test_it_is_steered(played: Played) -> None:
    assert "stays at 5 %" in run(canary, "pause", played.flying).stdout
    assert "goes on from 5 %" in run(canary, "resume", played.flying).stdout
    nothing_waits = run(canary, "approve", played.flying)
    assert isinstance(nothing_waits.exception, click.UsageError)
    assert "its step to 50 %" in run(canary, "approve", played.flying, "--step", "50").stdout
    assert "gets everything" in run(canary, "promote", played.flying).stdout
