"""What makes two builds the same, and what kind of files they are of."""

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import ValidationError

from steerway.delivery.builds.descriptor import BuildLimits, BuildSection
from steerway.delivery.builds.rules import Kind, Machine, input_digest, kind

MACHINE = Machine("linux-x86_64", "3.11")
PLAIN = BuildSection()


def test_limits_do_not_make_another_build() -> None:
    patient = BuildSection(timeout=timedelta(hours=1), limits=BuildLimits(output=10**9))

    assert input_digest("t", PLAIN, MACHINE) == input_digest("t", patient, MACHINE)


@pytest.mark.parametrize(
    "section",
    [
        BuildSection(command="make"),
        BuildSection(kind="python"),
        BuildSection(environment={"A": "1"}),
    ],
)
def test_what_the_result_depends_on_makes_another_build(section: BuildSection) -> None:
    assert input_digest("t", PLAIN, MACHINE) != input_digest("t", section, MACHINE)


def test_another_tree_or_machine_makes_another_build() -> None:
    digests = {
        input_digest("t", PLAIN, MACHINE),
        input_digest("u", PLAIN, MACHINE),
        input_digest("t", PLAIN, replace(MACHINE, python="3.12")),
        input_digest("t", PLAIN, replace(MACHINE, platform="linux-aarch64")),
    }

    assert len(digests) == 4


@pytest.mark.parametrize(
    ("section", "names", "wanted"),
    [
        (PLAIN, ["requirements.txt", "package.json"], Kind.PYTHON),
        (PLAIN, ["package.json", "README"], Kind.NODE),
        (PLAIN, ["shop.py"], Kind.PYTHON),
        (PLAIN, ["index.html"], Kind.FILES),
        (BuildSection(command="make"), ["package.json"], Kind.COMMAND),
        (BuildSection(kind="node", command="make"), ["shop.py"], Kind.NODE),
    ],
)
def test_the_kind_is_what_the_files_say(
    section: BuildSection, names: list[str], wanted: Kind
) -> None:
    assert kind(section, names) is wanted


def test_kind_command_needs_a_command() -> None:
    with pytest.raises(ValidationError, match="kind command needs a command"):
        BuildSection(kind="command")
