"""The command as a whole: help that loads nothing, hints, and how it leaves."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

from steerway.app import cli
from steerway.app.cli import COMMANDS, exit_code, main
from steerway.platform.client import Problem, ServerDown
from steerway.platform.errors import (
    Forbidden,
    Invalid,
    NotFound,
    Refused,
    SteerwayError,
    Unavailable,
)

LOADED = """
import sys
from steerway.app.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print(*sorted(sys.modules), sep="\\n", file=sys.stderr)
"""
HEAVY = {"django", "dbos", "ninja", "pydantic", "rich", "yaml", "uvicorn", "cryptography"}


def left_with(*arguments: str) -> int:
    """The exit code of a command."""
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    assert isinstance(caught.value.code, int)
    return caught.value.code


def loaded(*arguments: str) -> tuple[str, set[str]]:
    """What a command prints in a process of its own, and the modules it has loaded."""
    command = [sys.executable, "-c", LOADED, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout, set(done.stderr.splitlines())


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_lists_every_command_and_loads_none(flag: str) -> None:
    said, modules = loaded(flag)

    listed = re.findall(r"^  ([a-z]+)  ", said, re.MULTILINE)
    assert listed == list(COMMANDS)
    homes = {place.partition(":")[0] for place, _ in COMMANDS.values()}
    assert not modules & (homes | HEAVY)


def test_status_loads_what_it_needs_and_no_framework(tmp_path: Path) -> None:
    code = f"import os; os.environ['STEERWAY_HOME'] = {str(tmp_path)!r}\n{LOADED}"
    command = [sys.executable, "-c", code, "status"]

    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert "does not answer (it is not running)" in done.stderr
    assert not set(done.stderr.splitlines()) & HEAVY


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_where_the_table_says_and_helps(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    module, _, attribute = COMMANDS[name][0].partition(":")
    command = getattr(import_module(module), attribute)

    assert isinstance(command, click.Command)
    assert left_with(name, "--help") == 0
    assert f"{name} " in capsys.readouterr().out.partition("\n")[0]


def test_a_mistyped_command_is_answered_with_the_nearest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert left_with("deplyo") == 2

    assert "No such command 'deplyo'. Did you mean deploy" in capsys.readouterr().err


def test_a_command_like_no_other_gets_no_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert left_with("xyzzy") == 2

    said = capsys.readouterr().err
    assert "No such command 'xyzzy'." in said
    assert "Did you mean" not in said


def test_a_missing_argument_is_wrong_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert left_with("deploy") == 2

    assert "Missing argument 'SERVICE'" in capsys.readouterr().err


def test_the_version_is_one_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert left_with("--version") == 0

    assert re.fullmatch(r"\d+\.\d+\.\d+\S*\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Refused(reason="no"), 1),
        (NotFound(kind="service", name="tea"), 1),
        (Invalid(reason="no"), 2),
        (Forbidden(actor="guest", permission="x", role="admin"), 3),
        (Unavailable(what="git", hint="Try again."), 4),
        (ServerDown(where="x", cause="y"), 4),
        (Problem(400, {}), 2),
        (Problem(401, {}), 3),
        (Problem(403, {}), 3),
        (Problem(404, {}), 1),
        (Problem(409, {}), 1),
        (Problem(422, {}), 2),
        (Problem(500, {}), 1),
        (Problem(503, {}), 4),
    ],
)
def test_an_exit_code_says_what_kind_of_no_it_was(error: SteerwayError, code: int) -> None:
    assert exit_code(error) == code


@pytest.mark.parametrize(
    ("raised", "code", "sentence"),
    [
        (Refused(reason="Not now."), 1, "Not now.\n"),
        (Forbidden(actor="guest", permission="x", role="admin"), 3, "guest may not x."),
        (KeyboardInterrupt(), 130, "Interrupted.\n"),
        (click.Abort(), 130, "Interrupted.\n"),
    ],
)
def test_an_error_is_one_sentence_on_stderr(
    raised: BaseException,
    code: int,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    @click.command()
    def holds() -> None:
        raise raised

    monkeypatch.setattr("steerway.planning.changes.cli.holds", holds)

    assert left_with("holds") == code

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.lstrip().startswith(sentence)


@pytest.mark.parametrize(("answer", "code"), [(None, 0), (0, 0), (1, 1), (3, 3)])
def test_a_command_may_choose_how_it_leaves(
    answer: int | None, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    @click.command()
    def watch() -> int | None:
        return answer

    monkeypatch.setattr("steerway.delivery.deployments.cli.watch", watch)

    assert left_with("watch") == code


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def holds() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("steerway.planning.changes.cli.holds", holds)

    with pytest.raises(ZeroDivisionError):
        main(["holds"])


def test_a_reader_who_has_left_is_no_traceback() -> None:
    command = f"{sys.executable} -m steerway.app schema | head -c 1"

    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)

    assert done.stdout == "{"
    assert done.stderr == ""


def test_the_docstring_names_every_exit_code() -> None:
    told = {int(number) for number in re.findall(r"\b\d+\b", cli.__doc__ or "")}

    assert told >= {0, 1, 2, 3, 4, 130}
