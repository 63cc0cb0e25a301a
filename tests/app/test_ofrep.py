"""Flags over the network: OFREP, the file that flagd polls, and who may have them."""

import asyncio
import json
from typing import Any

import pytest
from a2wsgi.asgi_typing import HTTPScope

from steerway.app.ofrep import KNOWN_SECONDS, FlagDoor
from steerway.delivery.flags.rules.asked import Asked
from steerway.delivery.variants.rules.ofrep import BODY_BYTES_MAX
from steerway.platform.roles import Role
from steerway.platform.work import Actor
from tests.cast import actor

PLACE = ("shop", "production")
FLAG = "/ofrep/v1/evaluate/flags"
DOCUMENT = {
    "flags": {
        "banner": {"state": "ENABLED", "variants": {"on": True}, "defaultVariant": "on"},
        "users": {
            "state": "ENABLED", "variants": {"on": 1, "off": 0}, "defaultVariant": "off",
            "targeting": {"fractional": [["on", 100], ["off", 0]]}, "metadata": {"owner": "a"},
        },
        "out": {"state": "DISABLED", "variants": {"on": True}, "defaultVariant": "on"},
        "spoiled": {"state": "ENABLED", "variants": {"on": True}, "targeting": {"what": 1}},
    },
    "metadata": {"service": "shop"},
}  # fmt: skip
USER = b'{"context": {"targetingKey": "u"}}'


class Hands:
    """A clock whose hands the test moves."""

    seconds = 1.0

    def __call__(self) -> float:
        return self.seconds


class Desk:
    """A door with one token, and what a client hears at it."""

    def __init__(self, *scopes: str, role: Role = Role.VIEWER, rate_max: int = 100) -> None:
        whole = actor("alice/edge", role)
        self.actor: Actor | None = Actor(whole.name, role, whole.grants, scopes)
        self.document = json.dumps(DOCUMENT)
        self.hands = Hands()
        self.asked = Asked()
        self.looks = 0
        self.door = FlagDoor(
            self._actor_of,
            self.asked,
            etags=lambda: {PLACE: str(hash(self.document))},
            text=lambda _: (str(hash(self.document)), self.document),
            now=self.hands,
            rate_max=rate_max,
        )

    def _actor_of(self, scope: HTTPScope) -> Actor | None:
        self.looks += 1
        sent = dict(scope["headers"]).get(b"authorization")
        return self.actor if sent == b"Bearer swy_right" else None

    def ask(
        self, path: str, body: bytes = USER, method: str = "POST", **headers: str
    ) -> tuple[int, dict[str, str], Any]:
        given = {"authorization": "Bearer swy_right", **headers}
        scope: Any = {
            "type": "http", "method": method, "path": path, "query_string": b"",
            "client": ("10.0.0.7", 1),
            "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in given.items()],
        }  # fmt: skip
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(event: Any) -> None:
            sent.append(event)

        asyncio.run(self.door(scope, receive, send))
        answered = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
        content = sent[1]["body"]
        return sent[0]["status"], answered, json.loads(content) if content else None


@pytest.fixture
def asked_at() -> Desk:
    return Desk("flags.evaluate@shop/production")


def test_one_flag_is_evaluated(asked_at: Desk) -> None:
    status, _, said = asked_at.ask(f"{FLAG}/users")

    assert (status, said) == (
        200,
        {
            "key": "users",
            "reason": "TARGETING_MATCH",
            "variant": "on",
            "value": 1,
            "metadata": {"service": "shop", "owner": "a"},
        },
    )


def test_all_flags_are_evaluated_at_once_and_a_spoiled_one_says_so(asked_at: Desk) -> None:
    status, _, said = asked_at.ask(FLAG)

    by_key = {one["key"]: one for one in said["flags"]}
    assert (status, set(by_key)) == (200, {"banner", "users", "out", "spoiled"})
    assert by_key["spoiled"]["errorCode"] == "PARSE_ERROR"
    assert "value" not in by_key["out"]
    assert by_key["out"]["reason"] == "DISABLED"
    assert said["metadata"] == {"service": "shop"}


def test_who_has_an_answer_hears_that_it_is_still_so(asked_at: Desk) -> None:
    _, headers, _ = asked_at.ask(FLAG)

    assert asked_at.ask(FLAG, if_none_match=headers["etag"])[0] == 304
    other = b'{"context": {"targetingKey": "u", "a": 1}}'
    assert asked_at.ask(FLAG, other, if_none_match=headers["etag"])[0] == 304
    assert asked_at.ask(FLAG, b"{}", if_none_match=headers["etag"])[0] == 200
    asked_at.document = json.dumps(DOCUMENT | {"metadata": {"service": "other"}})
    asked_at.hands.seconds += 1
    assert asked_at.ask(FLAG, if_none_match=headers["etag"])[0] == 200


@pytest.mark.parametrize(
    ("name", "body", "status", "code"),
    [
        ("gone", USER, 404, "FLAG_NOT_FOUND"),
        ("users", b"{}", 400, "TARGETING_KEY_MISSING"),
        ("users", b"", 400, "TARGETING_KEY_MISSING"),
        ("users", b"{", 400, "PARSE_ERROR"),
        ("users", b"[]", 400, "PARSE_ERROR"),
        ("users", b"[" * 60_000, 400, "PARSE_ERROR"),
        ("users", b'{"context": []}', 400, "INVALID_CONTEXT"),
        ("users", b'{"context": {"targetingKey": 7}}', 400, "INVALID_CONTEXT"),
        ("", b'{"context": 1}', 400, "INVALID_CONTEXT"),
        ("spoiled", USER, 400, "PARSE_ERROR"),
    ],
)
def test_what_cannot_be_answered_has_ofrep_s_code(
    asked_at: Desk, name: str, body: bytes, status: int, code: str
) -> None:
    found, _, said = asked_at.ask(f"{FLAG}/{name}" if name else FLAG, body)

    assert (found, said["errorCode"]) == (status, code)
    assert said["errorDetails"]


@pytest.mark.parametrize(
    ("scopes", "status"),
    [
        (["*"], 200), (["flags.*"], 200), (["flags.evaluate"], 200),
        (["flags.evaluate@shop/production"], 200), (["flags.evaluate@shop/testing"], 403),
        (["flags.change"], 403), ([], 403),
    ],
)  # fmt: skip
def test_a_token_sees_the_flags_that_its_scope_covers(scopes: list[str], status: int) -> None:
    named = {"x_steerway_service": "shop", "x_steerway_environment": "production"}

    assert Desk(*scopes).ask(f"{FLAG}/banner", **named)[0] == status


def test_an_unbound_token_must_say_whose_flags_it_wants() -> None:
    status, _, said = Desk("flags.evaluate").ask(f"{FLAG}/banner")

    assert (status, "x-steerway-service" in said["errorDetails"]) == (400, True)


def test_strangers_hear_nothing(asked_at: Desk) -> None:
    assert asked_at.ask(FLAG, authorization="Bearer swy_wrong")[0] == 401
    assert asked_at.ask(FLAG, authorization="")[0] == 401
    assert asked_at.ask(FLAG, authorization="", x_api_key="swy_right")[0] == 200


def test_a_token_is_looked_up_once_in_a_while_and_a_revoked_one_ends(asked_at: Desk) -> None:
    asked_at.ask(FLAG)
    asked_at.actor = None
    assert (asked_at.ask(FLAG)[0], asked_at.looks) == (200, 1)

    asked_at.hands.seconds += KNOWN_SECONDS

    assert asked_at.ask(FLAG)[0] == 401


def test_requests_are_bounded_in_size_and_number() -> None:
    desk = Desk("flags.evaluate@shop/production", rate_max=2)

    assert desk.ask(FLAG, b" " * (BODY_BYTES_MAX + 1))[0] == 413
    assert desk.ask(FLAG)[0] == 200
    status, headers, _ = desk.ask(FLAG)
    assert (status, headers["retry-after"]) == (429, "1")
    desk.hands.seconds += 1
    assert desk.ask(FLAG)[0] == 200
    assert desk.ask(FLAG, method="GET")[0] == 405


def test_flagd_polls_the_file(asked_at: Desk) -> None:
    status, headers, said = asked_at.ask("/flagd/flags.json", b"", "GET")

    assert (status, said) == (200, DOCUMENT)
    again = asked_at.ask("/flagd/flags.json", b"", "GET", if_none_match=headers["etag"])
    assert again[0] == 304


def test_evaluations_are_counted_by_variant(asked_at: Desk) -> None:
    asked_at.ask(f"{FLAG}/banner")
    asked_at.ask(FLAG)
    asked_at.ask(f"{FLAG}/gone")

    assert asked_at.asked.totals()[PLACE] == {
        ("banner", "on"): 2, ("users", "on"): 1, ("out", ""): 1
    }  # fmt: skip
    assert asked_at.asked.drained() == {PLACE: {"banner", "users", "out"}}
    assert asked_at.asked.drained() == {}
