"""The reference holds everything the code has, and docs/reference is what the code says."""

import re
from collections.abc import Iterator
from dataclasses import fields

import click
import pytest

from steerway.app import reference, reference_commands, reference_descriptor
from steerway.app.descriptor import ServiceDescriptor
from steerway.app.permissions import PERMISSIONS
from steerway.delivery.deployments.rules import State as DeploymentState
from steerway.delivery.deployments.rules import Step
from steerway.platform.descriptor.section import Section
from steerway.platform.settings import Settings
from tests.app.recorded import ANYTHING, ROOT, patterns

FOLDER = ROOT / "docs" / "reference"
PAGES = reference.pages()


def words(page: str) -> set[str]:
    """What stands between backticks at the start of a row of a table."""
    return set(re.findall(r"^\| `([^`]+)` \|", PAGES[page], re.MULTILINE))


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_on_disk_is_what_the_code_says(name: str) -> None:
    assert (FOLDER / name).read_text() == PAGES[name], "run `make docs`, and read the difference"


def test_no_page_is_left_from_before() -> None:
    assert {file.name for file in FOLDER.iterdir()} == set(PAGES)


@pytest.mark.parametrize(("where", "pattern"), sorted(patterns().items()))
def test_a_recorded_event_is_described(where: str, pattern: str) -> None:
    assert pattern != ANYTHING, f"{where}: write the type where it is recorded"
    assert any(re.fullmatch(pattern, event) for event in words("events.md")), where


def test_an_event_that_is_described_is_recorded() -> None:
    recorded = patterns().values()

    never = [e for e in words("events.md") if not any(re.fullmatch(p, e) for p in recorded)]

    assert not never


def test_every_step_and_every_end_of_a_deployment_is_an_event() -> None:
    steps = {f"deployment.{step}-done" for step in Step}
    ends = {f"deployment.{state}" for state in DeploymentState} - {"deployment.running"}

    assert steps | ends <= words("events.md")


def test_every_error_has_its_own_code() -> None:
    codes = [error.code() for error in reference.errors()]

    assert len(codes) == len(set(codes))
    assert set(codes) == words("errors.md")


def test_a_problem_that_is_no_error_of_ours_is_there() -> None:
    sources = [file.read_text() for file in (ROOT / "src").rglob("*.py")]
    literal = {code for text in sources for code in re.findall(r'"/errors/([a-z-]+)"', text)}

    assert literal
    assert not [code for code in literal if f"`{code}`" not in PAGES["errors.md"]]


def test_every_setting_is_there() -> None:
    assert {f"STEERWAY_{spec.name.upper()}" for spec in fields(Settings)} == words("settings.md")


def test_every_key_of_a_descriptor_is_there() -> None:
    assert set(section_keys(ServiceDescriptor)) <= words("descriptor.md")
    assert set(reference_descriptor.keys()) == words("descriptor.md")


def section_keys(section: type[Section], prefix: str = "") -> Iterator[str]:
    """Keys of a section and of the sections in it, from the classes themselves."""
    for name, field in section.model_fields.items():
        yield prefix + name
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from section_keys(field.annotation, f"{prefix}{name}.")


def test_every_command_and_option_is_there_and_says_what_it_does() -> None:
    commands = dict(reference_commands.commands())

    silent = [
        f"{path} {option.opts}"
        for path, command in commands.items()
        for option in command.params
        if isinstance(option, click.Option) and not option.help
    ]

    assert not silent
    assert not [path for path, command in commands.items() if not command.help]
    assert set(commands) == set(re.findall(r"^##+ (.+)$", PAGES["commands.md"], re.MULTILINE))


def test_every_route_says_what_it_does() -> None:
    routes = {route: text for _, route, text in reference.routes()}
    addresses = reference.addresses()

    assert not [name for name, text in (routes | addresses).items() if not text]
    assert set(routes) | set(addresses) == words("api.md")


def test_every_permission_is_there_and_asked_for_somewhere() -> None:
    asked = set(allowed())

    assert words("permissions.md") == set(PERMISSIONS)
    assert asked <= set(PERMISSIONS)


def allowed() -> Iterator[str]:
    """Every permission that an action asks for."""
    for file in (ROOT / "src").rglob("*.py"):
        yield from re.findall(r'\.(?:allow|may)\(\s*"([a-z.-]+)"', file.read_text())


def test_tables_are_whole() -> None:
    for text in PAGES.values():
        rows = [line for line in text.splitlines() if line.startswith("|")]
        for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            widths = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
            assert len(widths) == 1, table
        assert rows
