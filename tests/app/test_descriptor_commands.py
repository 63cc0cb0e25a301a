"""Descriptors in the terminal: check, explain, plan and apply."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from ninja.testing import TestClient

from steerway.app.commands import descriptor as commands
from steerway.app.descriptor_api import router
from steerway.planning.catalog import api as catalog_api
from steerway.planning.catalog import cli
from steerway.planning.catalog.errors import OtherService
from steerway.platform.descriptor.errors import DescriptorInvalid
from steerway.platform.work import Work
from tests.app.descriptors.kit import KIT

Run = Callable[..., Result]


class Local:
    """The client, without a network: requests go to the routers as they are."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._descriptors, self._catalog = TestClient(router), TestClient(catalog_api.router)

    def get(self, path: str) -> Any:
        return self._catalog.get(self._below(path), work=self._work).json()

    def post(self, path: str, body: object) -> Any:
        return self._descriptors.post(self._below(path), json=body, work=self._work).json()

    def put(self, path: str, body: object) -> Any:
        one = self._catalog if path.endswith("/pause") else self._descriptors
        return one.put(self._below(path), json=body, work=self._work).json()

    def delete(self, path: str) -> Any:
        return self._catalog.delete(self._below(path), work=self._work).json()

    def _below(self, path: str) -> str:
        return path.removeprefix("/api/services")


@pytest.fixture
def run(work: Work, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command in a directory with the kit, as alice."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "steerway.yaml").write_text(KIT, encoding="utf-8")
    monkeypatch.setattr(cli, "connect", lambda: Local(work))
    monkeypatch.setattr(commands, "connect", lambda: Local(work))

    def invoke(command: Any, *arguments: str) -> Result:
        return CliRunner().invoke(command, list(arguments), standalone_mode=False)

    return invoke


def write(old: str, new: str) -> None:
    file = Path("steerway.yaml")
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_check_says_that_a_descriptor_is_right(run: Run) -> None:
    checked = run(commands.check)

    assert checked.output == "steerway.yaml is right: shop in testing, production.\n"
    assert checked.return_value == 0


def test_check_prints_every_mistake_in_a_line_and_leaves_with_2(run: Run) -> None:
    write("  replicas: 2", "  replica: 2")
    write("10MB", "10")

    checked = run(commands.check)

    assert checked.return_value == 2
    assert checked.stdout == ""
    assert [line.split(" ")[0] for line in checked.stderr.splitlines()] == [
        "steerway.yaml:15:3:",
        "steerway.yaml:24:9:",
    ]


def test_check_refuses_a_required_variable_that_is_missing(run: Run) -> None:
    write(", environment: {REGION: eu-1}", "")

    checked = run(commands.check)

    assert checked.return_value == 2
    assert "REGION is not set in production" in checked.stderr


def test_check_warns_without_refusing(run: Run) -> None:
    write("LOG_LEVEL: info", "LOG_LEVEL: info, API_KEY: x")

    checked = run(commands.check)

    assert checked.return_value == 0
    assert checked.stderr.startswith("warning: steerway.yaml:17:")


def test_check_tells_machines_the_same(run: Run) -> None:
    write("  replicas: 2", "  replica: 2")

    checked = run(commands.check, "--json")

    said = json.loads(checked.stdout)
    assert checked.return_value == 2
    assert (said["valid"], said["problems"][0]["path"]) == (False, "run.replica")


def test_a_file_that_is_not_there_is_one_sentence(run: Run) -> None:
    checked = run(commands.check, "--file", "other.yaml")

    assert "There is no other.yaml. `steerway init` writes one." in str(checked.exception)


def test_explain_shows_the_last_environment_unless_another_is_named(run: Run) -> None:
    production = run(commands.explain)
    testing = run(commands.explain, "--env", "testing", "--json")

    line = next(line for line in production.stdout.splitlines() if "run.replicas" in line)
    assert line.split() == ["run.replicas", "3", "steerway.yaml:32", "production"]
    rows = {row["path"]: row for row in json.loads(testing.stdout)}
    assert rows["run.replicas"]["line"] == 29


def test_plan_apply_plan_ends_with_no_changes(run: Run) -> None:
    planned = run(cli.plan)
    applied = run(cli.apply)
    again = run(cli.plan)

    assert "+ service: shop  (steerway.yaml:2)" in planned.stdout
    assert "+ environment production: new" in planned.stdout
    assert "shop is applied: " in applied.stdout
    assert again.stdout == "0 changes: shop is as the descriptor says.\n"


def test_plan_shows_exactly_the_line_that_was_changed(run: Run) -> None:
    run(cli.apply)
    write("      replicas: 1", "      replicas: 4")

    planned = run(cli.plan)

    assert planned.stdout.splitlines() == [
        "~ environments.testing.run.replicas: 1 -> 4  (steerway.yaml:29)",
        "~ environment testing: changed",
        "1 change. `steerway apply` makes it so.",
    ]


def test_what_is_applied_can_be_explained_and_listed(run: Run) -> None:
    run(cli.apply)
    write("      replicas: 1", "      replicas: 4")

    explained = run(commands.explain, "shop", "--env", "testing", "--json")
    listed = run(cli.services)

    rows = {row["path"]: row for row in json.loads(explained.stdout)}
    assert rows["run.replicas"]["value"] == "1"
    assert "testing, production" in listed.stdout


def test_a_service_is_paused_and_resumed(run: Run) -> None:
    run(cli.apply)

    paused = run(cli.pause, "shop", "--reason", "moving house")
    listed = run(cli.services)
    resumed = run(cli.resume, "shop")

    assert paused.stdout == "shop is paused. `steerway resume shop` ends it.\n"
    assert "paused" in listed.stdout
    assert resumed.stdout == "Steerway looks after shop again.\n"


@pytest.mark.parametrize("command", [cli.plan, cli.apply])
def test_a_wrong_descriptor_is_refused_with_its_mistakes(run: Run, command: Any) -> None:
    write("  replicas: 2", "  replica: 2")

    refused = run(command)

    assert isinstance(refused.exception, DescriptorInvalid)
    assert "steerway.yaml:15:3: run.replica" in str(refused.exception)


@pytest.mark.parametrize("name", ["service: 12", "service: [a]", "service: ''", "service: a/b"])
def test_a_wrong_name_is_told_as_a_mistake(run: Run, name: str) -> None:
    write("service: shop", name)

    refused = run(cli.plan)

    assert isinstance(refused.exception, DescriptorInvalid)
    assert "steerway.yaml:2:10: service: a name of" in str(refused.exception)


def test_a_descriptor_sent_to_another_service_is_refused(work: Work) -> None:
    with pytest.raises(OtherService, match="is of shop, not of store"):
        TestClient(router).put("/store", json={"text": KIT}, work=work)
