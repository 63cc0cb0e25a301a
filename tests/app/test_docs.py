"""The documents: links lead somewhere, commands are commands, dependencies are explained."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from steerway.app.reference_commands import commands

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
WRITTEN = [page for page in PAGES if "reference" not in page.parts]
WORDS_MAX = 560  # about a page
PICTURE_BYTES_MAX = 300_000
COMMANDS = dict(commands())


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text()
    targets = re.findall(r"\]\(([^)#\s]+)", text) + re.findall(r'src(?:set)?="([^"]+)"', text)
    inside = [target for target in targets if "://" not in target]

    assert not [target for target in inside if not (page.parent / target).exists()]


def test_pictures_are_light_to_load_and_used() -> None:
    pictures = list((ROOT / "docs" / "images").glob("*"))
    texts = "".join(page.read_text() for page in PAGES)

    assert [p.name for p in pictures if p.stat().st_size > PICTURE_BYTES_MAX] == []
    assert [p.name for p in pictures if p.name not in texts] == []


@pytest.mark.parametrize("page", WRITTEN, ids=name)
def test_commands_and_their_options_exist(page: Path) -> None:
    wrong = [line for line in typed(page.read_text()) if not is_possible(line)]

    assert not wrong


def typed(text: str) -> Iterator[str]:
    """Every call of `steerway` in a block of code or between backticks."""
    blocks = "\n".join(re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)).replace("\\\n", " ")
    for line in blocks.splitlines():
        found = re.match(r"\s*(?:\$ )?(?:\.venv/bin/)?(steerway [a-z].*)", line)
        if found and ":" not in found[1].split()[1]:
            yield found[1]
    yield from re.findall(r"`(?:\.venv/bin/)?(steerway [a-z][^`]*)`", text)


def is_possible(line: str) -> bool:
    """Whether the command exists and has the options that are typed."""
    words = shlex.split(re.sub(r"\s[#<>|;].*|…", "", line), comments=True)
    path = next((p for n in (3, 2) if (p := " ".join(words[:n])) in COMMANDS), "")
    if not path:
        return False
    command = COMMANDS[path]
    if isinstance(command, click.Group):
        return len(words) == path.count(" ") + 1
    known = {opt for parameter in command.params for opt in parameter.opts} | {"--help"}
    return all(word.partition("=")[0] in known for word in words if word.startswith("-"))


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "decisions").glob("0*.md")), ids=name)
def test_a_decision_is_one_page_with_three_parts(page: Path) -> None:
    text = page.read_text()

    assert text.startswith(f"# {page.name[:4]} ")
    assert [
        part for part in ("Context", "Decision", "What it costs") if f"**{part}.**" in text
    ] == [
        "Context",
        "Decision",
        "What it costs",
    ]
    assert len(text.split()) <= WORDS_MAX
    assert page.name in (page.parent / "README.md").read_text()


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "how-to").glob("*.md")), ids=name)
def test_a_how_to_is_one_page_and_listed(page: Path) -> None:
    assert len(page.read_text().split()) <= WORDS_MAX
    assert page.name in (page.parent / "README.md").read_text() or page.name == "README.md"


def test_a_dependency_is_explained_in_a_decision() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = {re.match(r"[A-Za-z0-9-]+", one)[0].lower() for one in wanted if isinstance(one, str)}  # type: ignore[index]
    decisions = " ".join(p.read_text() for p in (ROOT / "docs" / "decisions").glob("0*.md")).lower()

    assert not sorted(one for one in names if one not in decisions)


def test_changes_are_written_for_operators() -> None:
    lines = (ROOT / "CHANGELOG.md").read_text().splitlines()
    entries = [line for line in lines if line.startswith("- ")]

    assert entries
    assert all(re.match(r"- \[(CHANGE|FEATURE|FIX|SECURITY)\] [A-Z`]", line) for line in entries)
