"""Settings and the systemd unit, as printed; and what `up` refuses before it starts anything."""

import json
import os
import socket
import sys
from pathlib import Path

import pytest

from steerway.app.cli import main

URL = "postgresql://steerway:swordfish@db/steerway"


@pytest.fixture(autouse=True)
def installation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An environment with a few settings, one of them secret."""
    for name in [name for name in os.environ if name.startswith("STEERWAY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("STEERWAY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("STEERWAY_PORT", "7311")
    monkeypatch.setenv("STEERWAY_DATABASE_URL", URL)
    return tmp_path / "home"


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    assert isinstance(caught.value.code, int)
    return caught.value.code


def test_settings_in_force_are_shown_and_secret_ones_masked(
    installation: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("settings", "--json") == 0

    shown = json.loads(capsys.readouterr().out)
    assert shown["STEERWAY_HOME"] == str(installation)
    assert shown["STEERWAY_PORT"] == "7311"
    assert shown["STEERWAY_REPLICA_PORTS"] == "20000-29999"
    assert shown["STEERWAY_DATABASE_URL"] == "set"
    assert shown["STEERWAY_OIDC_CLIENT_SECRET"] == ""


def test_the_table_of_settings_says_what_each_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("settings") == 0

    said = capsys.readouterr().out
    assert "Port the server listens on." in said
    assert "swordfish" not in said


def test_settings_that_cannot_be_used_are_all_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STEERWAY_PORT", "x")
    monkeypatch.setenv("STEERWAY_ROUTER_PORT", "y")

    assert run("settings") == 2

    said = capsys.readouterr().err
    assert "STEERWAY_PORT" in said
    assert "STEERWAY_ROUTER_PORT" in said


def test_a_unit_runs_the_server_with_its_settings_and_without_secrets(
    installation: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = installation.parent / '100% "mine"'
    file.write_text("swordfish")
    monkeypatch.setenv("STEERWAY_OIDC_CLIENT_SECRET_FILE", str(file))
    monkeypatch.setenv("PATH_OF_SOMEBODY", "x")

    assert run("unit") == 0

    lines = capsys.readouterr().out.splitlines()
    assert f'Environment="STEERWAY_HOME={installation}"' in lines
    assert 'Environment="STEERWAY_PORT=7311"' in lines
    written = f'{installation.parent}/100%% \\"mine\\"'
    assert f'Environment="STEERWAY_OIDC_CLIENT_SECRET_FILE={written}"' in lines
    assert f'ExecStart="{sys.executable}" -m steerway.app up --foreground' in lines
    assert f"User={Path.home().owner()}" in lines
    assert not any("swordfish" in line or "SOMEBODY" in line for line in lines)


def test_up_refuses_a_port_that_is_taken_and_starts_nothing(
    installation: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("STEERWAY_PORT", str(port))

        assert run("up") == 1

    assert f"Port {port} of 127.0.0.1 is taken" in capsys.readouterr().err
    assert not (installation / "run" / "supervisord.pid").exists()


def test_up_refuses_a_home_that_cannot_be_made(
    installation: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    installation.write_text("not a directory")

    assert run("up") == 4

    assert f"{installation} cannot be used" in capsys.readouterr().err


def test_down_where_nothing_runs_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("down") == 0

    assert capsys.readouterr().out == "Nothing runs.\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_says_where_its_line_belongs(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("completion", shell) == 0

    comment, line = capsys.readouterr().out.splitlines()
    assert comment.startswith("# add to ~/.")
    assert f"{shell}_source" in line
