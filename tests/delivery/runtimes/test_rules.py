import json
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import ValidationError

from steerway.delivery.runtimes import rules
from steerway.delivery.runtimes.descriptor import RunSection
from steerway.delivery.runtimes.errors import CommandInvalid
from steerway.delivery.runtimes.rules import (
    Limits,
    Placement,
    Ports,
    Process,
    ProcessState,
    Program,
    SealedSecret,
)
from tests.cast import NOON

DEPLOYMENT = UUID("0199a1b2-0000-7000-8000-00009c41d2aa")
VALUES = {"PORT": "20001", "NAME": "a b", "EMPTY": ""}


def placement(port: int | None = 20001) -> Placement:
    return Placement(
        service="shop",
        environment="production",
        deployment=DEPLOYMENT,
        index=1,
        port=port,
        release="v2-0123abcd",
        directory=Path("/releases/v2"),
        state=Path("/state/shop"),
        log=Path("/log/shop.log"),
    )


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("python -m shop", ("python", "-m", "shop")),
        ("serve --port $PORT", ("serve", "--port", "20001")),
        ("serve --port=${PORT}0", ("serve", "--port=200010")),
        ("serve '$NAME' $EMPTY", ("serve", "a b", "")),
        ("serve $$PORT $", ("serve", "$PORT", "$")),
        ("sh -c 'exec serve $PORT $UNKNOWN'", ("sh", "-c", "exec serve $PORT $UNKNOWN")),
    ],
)
def test_a_command_becomes_words(command: str, words: tuple[str, ...]) -> None:
    assert rules.substitute(command, VALUES) == words


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("serve $NOWHERE", r"NOWHERE is not set; add it to run.environment, or write \$\$NOWHERE"),
        ("serve --key=${KEY}", "KEY is a secret, which every user of the host would see"),
    ],
)
def test_a_command_names_only_what_it_may(command: str, sentence: str) -> None:
    with pytest.raises(CommandInvalid, match=sentence):
        rules.substitute(command, VALUES, frozenset({"KEY"}))


def test_a_replica_becomes_a_program() -> None:
    section = RunSection.model_validate(
        {
            "command": "serve $PORT",
            "environment": {"LOG_LEVEL": "info", "WORKERS": 2, "REGION": None},
            "secrets": {"KEY": "payment-key"},
            "directories": {"data": "0700", "up-loads": "0750"},
            "limits": {"memory": "64MB", "cpus": 0.5},
            "stop": {"signal": "INT", "grace": "500ms"},
        }
    )
    secret = SealedSecret("payment-key", "v1:sealed")

    program = rules.program(section, placement(), secrets={"KEY": secret}, search=(Path("/bin"),))

    assert program == Program(
        name="shop.production.9c41d2aa.1",
        command=("serve", "20001"),
        directory=Path("/releases/v2"),
        log=Path("/log/shop.log"),
        environment={
            "LOG_LEVEL": "info",
            "WORKERS": "2",
            "STEERWAY_DATA_DIR": "/state/shop/data",
            "STEERWAY_UP_LOADS_DIR": "/state/shop/up-loads",
            "STEERWAY_SERVICE": "shop",
            "STEERWAY_ENVIRONMENT": "production",
            "STEERWAY_RELEASE": "v2-0123abcd",
            "STEERWAY_REPLICA": "1",
            "PORT": "20001",
        },
        search=(Path("/bin"),),
        secrets={"KEY": secret},
        creates={Path("/state/shop/data"): 0o700, Path("/state/shop/up-loads"): 0o750},
        limits=Limits(memory=64_000_000, cpus=0.5),
        stop_signal="INT",
        grace=timedelta(milliseconds=500),
        port=20001,
    )
    assert rules.missing(section) == ["REGION"]
    assert rules.restored(json.loads(json.dumps(rules.stored(program)))) == program


def test_a_program_that_serves_nothing_has_no_port() -> None:
    section = RunSection(command="work", port="none")

    assert "PORT" not in rules.variables(section, placement(port=None))


@pytest.mark.parametrize(
    ("after", "taken", "port"),
    [
        (None, set(), 20000),
        (20000, set(), 20001),
        (20000, {20001}, 20002),
        (20002, set(), 20000),
        (20002, {20000, 20001}, 20002),
        (20001, {20000, 20001, 20002}, None),
        (19000, set(), 20000),
        (30000, set(), 20000),
    ],
)
def test_ports_are_given_in_turn(after: int | None, taken: set[int], port: int | None) -> None:
    assert rules.next_port(Ports(20000, 20002), after=after, taken=taken) == port


@pytest.mark.parametrize(
    ("state", "crashes", "was", "seconds", "looping"),
    [
        (ProcessState.RUNNING, 0, False, 5, False),
        (ProcessState.RUNNING, 1, False, 5, False),
        (ProcessState.BACKOFF, 1, False, 0, False),
        (ProcessState.BACKOFF, 2, False, 0, True),
        (ProcessState.RUNNING, 2, True, 59, True),
        (ProcessState.RUNNING, 2, True, 60, False),
        (ProcessState.RUNNING, 2, False, 61, False),
        (ProcessState.RUNNING, 0, True, 1, False),
        (ProcessState.STARTING, 3, True, 0, True),
        (ProcessState.FATAL, 0, False, 0, True),
    ],
)
def test_a_crash_loop_lasts_until_the_program_has_settled(
    state: ProcessState, crashes: int, was: bool, seconds: int, looping: bool
) -> None:
    born = NOON - timedelta(seconds=seconds)
    seen = Process(name="shop", state=state, started_at=born, crashes=crashes)

    assert rules.is_looping(seen, was=was, now=NOON) is looping


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        ({}, "command"),
        ({"command": "serve 'x"}, "cannot be split: No closing quotation"),
        ({"command": " "}, "command is empty"),
        ({"command": "a", "environment": {"PORT": "80"}}, "PORT is set by Steerway"),
        ({"command": "a", "environment": {"STEERWAY_X": "1"}}, "STEERWAY_X is set by Steerway"),
        ({"command": "a", "secrets": {"STEERWAY_X": "x"}}, "STEERWAY_X is set by Steerway"),
        ({"command": "a", "environment": {"A-B": "1"}}, "A-B"),
        ({"command": "a", "environment": {"A": True}}, "environment.A"),
        ({"command": "a", "environment": {"A": "\0"}}, "A holds a zero byte"),
        ({"command": "a", "environment": {"A": "1"}, "secrets": {"A": "a"}}, "A is both in"),
        ({"command": "a", "replicas": 101}, "less than or equal to 100"),
        ({"command": "a", "limits": {"memory": "1MB"}}, "a size from 8MB"),
        ({"command": "a", "limits": {"cpus": 0}}, "greater than or equal to 0.01"),
        ({"command": "a", "stop": {"signal": "KILL"}}, "'TERM', 'INT'"),
        ({"command": "a", "stop": {"grace": "11m"}}, "a duration from 0s to 10m"),
        ({"command": "a", "health": {"path": "healthz"}}, "health.path"),
        (
            {"command": "a", "port": "none", "health": {"path": "/up"}},
            "health is asked over the port",
        ),
        ({"command": "a", "port": 8000}, "'auto' or 'none'"),
        ({"command": "a", "prot": "auto"}, "Extra inputs are not permitted"),
    ],
)
def test_a_wrong_section_is_refused(section: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        RunSection.model_validate(section)

    assert sentence in str(caught.value)


def test_a_section_comes_back_from_its_record() -> None:
    section = RunSection.model_validate(
        {"command": "a", "environment": {"A": 1, "B": None}, "directories": {"data": "0700"}}
    )

    assert RunSection.stored(section.model_dump(mode="json")) == section
