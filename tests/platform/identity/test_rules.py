"""Names, scopes and secrets: what they look like."""

import re
from pathlib import Path

import pytest

from steerway.platform.identity import rules
from steerway.platform.identity.rules import NAME, Role
from steerway.platform.secrets import rules as secrets


def test_a_token_has_a_mark_and_a_checksum_that_catches_typing_errors() -> None:
    token = rules.new_token()

    assert token.startswith("swy_")
    assert len(token) == 42
    assert rules.is_token(token)
    assert not rules.is_token(token[:-1] + ("a" if token[-1] != "a" else "b"))
    assert not rules.is_token(token.replace("swy_", "xyz_"))
    assert not rules.is_token("swy_")
    assert not rules.is_token("swy_é")


@pytest.mark.parametrize(
    ("scope", "unknown"),
    [
        ("*", False),
        ("deployments.*", False),
        ("deployments.start", False),
        ("deployments.fly", True),
        ("deployment*", True),
        ("*.start", True),
        ("depl?yments.start", True),
        ("[d]eployments.start", True),
        ("", True),
    ],
)
def test_a_scope_covers_at_least_one_permission(scope: str, unknown: bool) -> None:
    permissions = ["deployments.start", "secrets.set"]

    assert bool(rules.unknown_scopes([scope], permissions)) is unknown


@pytest.mark.parametrize("name", ["alice", "a", "o.hara", "bot-7", "a" * 40])
def test_these_are_names(name: str) -> None:
    assert NAME.fullmatch(name)


@pytest.mark.parametrize(
    "name", ["", "Alice", "local:root", "alice/ci", "7up", "a" * 41, "al ice", "alice\n", "élan"]
)
def test_these_are_not_names_because_they_could_look_like_somebody_else(name: str) -> None:
    assert not NAME.fullmatch(name)


@pytest.mark.parametrize(
    ("claim", "name"),
    [
        ("Alice.Smith@example.com", "alice.smith"),
        ("BOB", "bob"),
        ("local:root", "local-root"),
        ("  ", "person"),
        ("42", "person"),
    ],
)
def test_a_provider_s_claim_becomes_a_name(claim: str, name: str) -> None:
    assert rules.name_from(claim) == name
    assert NAME.fullmatch(name)


def test_the_lesser_role_wins() -> None:
    assert rules.lesser(Role.ADMIN, Role.VIEWER) is Role.VIEWER
    assert rules.lesser(Role.DEVELOPER, Role.OPERATOR) is Role.DEVELOPER


def test_a_user_code_survives_how_people_type_it() -> None:
    code = rules.new_user_code()

    assert rules.tidy_user_code(f" {code.lower().replace('-', ' ')} ") == code


def test_every_event_that_is_recorded_is_described() -> None:
    sources = [
        *Path(rules.__file__).parent.glob("*.py"),
        *Path(secrets.__file__).parent.glob("*.py"),
    ]
    code = "\n".join(f.read_text() for f in sources if f.name not in {"rules.py", "api.py"})

    named = set(re.findall(r'"((?:user|token|secret)\.[a-z-]+)"', code))

    described = set(rules.EVENTS) | set(secrets.EVENTS)
    assert named <= described
    assert described - named == {"device.approved", "device.denied"}
