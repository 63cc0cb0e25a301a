"""Flags of a running service: the switch, a rollout over a killed server, a variant that fails."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openfeature.evaluation_context import EvaluationContext

from steerway.openfeature.provider import SteerwayProvider
from steerway.openfeature.watching import FlagsWsgi
from tests.journeys.installation import Installation, until

pytestmark = pytest.mark.journey

FLAG: dict[str, Any] = {
    "state": "ENABLED",
    "variants": {"on": True, "off": False},
    "defaultVariant": "off",
    "targeting": {"fractional": [["on", 10], ["off", 90]]},
    "metadata": {"owner": "checkout", "expires": "2031-06-30"},
}
PLACE = ("shop", "new-checkout", "--env", "production")


@pytest.fixture(scope="module")
def flagged(steerway: Installation) -> Installation:
    """A shop that serves v1, with a flag at 10 %."""
    folder = steerway.home / "descriptors" / "shop"
    folder.mkdir(parents=True)
    (folder / "flags.json").write_text(json.dumps({"flags": {"new-checkout": FLAG}}, indent=2))
    said = steerway.apply(flags={"file": "flags.json"})
    assert "+ flags.new-checkout.state: ENABLED" in said
    steerway.deploy("v1")
    return steerway


@pytest.fixture
def provider(flagged: Installation) -> Iterator[SteerwayProvider]:
    """What a replica asks its flags, from the file that Steerway gave it."""
    (program,) = flagged.replicas()[:1]
    environ = Path(f"/proc/{flagged.pid(program)}/environ").read_bytes().decode()
    given = dict(pair.partition("=")[::2] for pair in environ.split("\0"))
    found = SteerwayProvider(given["STEERWAY_FLAGS_FILE"])
    yield found
    found.shutdown()


def share(provider: SteerwayProvider) -> int:
    """How many of a thousand users have it on."""
    provider.refresh()
    flags = provider._flags
    users = [{"targetingKey": f"user-{number}"} for number in range(1000)]
    return sum(bool(flags.evaluate("new-checkout", user).value) for user in users)


def test_an_exposure_and_the_switch_reach_a_running_service(
    flagged: Installation, provider: SteerwayProvider
) -> None:
    until(lambda: 60 < share(provider) < 140, "10 % have it")

    flagged.ok("flags", "expose", *PLACE[:2], "50", *PLACE[2:])
    until(lambda: 430 < share(provider) < 570, "half have it")
    flagged.ok("freeze", "--reason", "Christmas")
    assert flagged.steerway("flags", "expose", *PLACE[:2], "90", *PLACE[2:]).code == 1
    flagged.ok("flags", "off", *PLACE, "--reason", "payments fail")
    until(lambda: share(provider) == 0, "nobody has it")
    flagged.ok("thaw")
    flagged.ok("flags", "on", *PLACE)
    until(lambda: 430 < share(provider) < 570, "half have it again")

    asked = {"context": {"targetingKey": "user-1"}}
    path = "/ofrep/v1/evaluate/flags/new-checkout?service=shop&environment=production"
    assert flagged.client.post(path, asked)["variant"] in {"on", "off"}
    deployed = [kind for kind in flagged.types() if kind == "deployment.requested"]
    assert (len(deployed), flagged.types().count("flag.exposed")) == (1, 5)


def test_a_rollout_goes_on_after_its_server_was_killed_and_takes_each_step_once(
    flagged: Installation, provider: SteerwayProvider
) -> None:
    before = flagged.last_seq()
    flagged.ok("flags", "rollout", *PLACE[:2], "20,60@2s,100@1s", *PLACE[2:])

    pid = int((flagged.home / "run" / "server.lock").read_text())
    os.kill(pid, signal.SIGKILL)
    assert share(provider) > 0  # without the server, the flags of before hold
    flagged.ok("up")
    until(lambda: share(provider) == 1000, "everybody has it")

    types = flagged.types(before)
    assert [types.count(f"rollout.{verb}") for verb in ("started", "stepped", "done")] == [1, 3, 1]
    assert types.count("flag.exposed") == 3
    assert json.loads(flagged.ok("change", "1", "--json"))["state"] == "implemented"


def test_a_variant_that_fails_for_a_fifth_of_users_is_turned_off_by_itself(
    flagged: Installation, provider: SteerwayProvider
) -> None:
    before = flagged.last_seq()

    def shop(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        found = provider.resolve_boolean_details(
            "new-checkout", False, EvaluationContext(environ["user"])
        )
        start_response("500 No" if found.value else "200 OK", [])
        return []

    provider.initialize(EvaluationContext())  # from here on it leaves its counts, as in a service
    counted = FlagsWsgi(shop, provider)

    def serve() -> bool:
        for number in range(100):
            list(counted({"user": f"user-{number}"}, lambda *_: None))
        return share(provider) == 0

    flagged.ok("flags", "expose", *PLACE[:2], "20", *PLACE[2:])
    until(lambda: 150 < share(provider) < 250, "a fifth have it")
    until(serve, "nobody has it")

    shown = json.loads(flagged.ok("flags", "show", *PLACE[:2], "--json"))
    place, judged = (
        next(one for one in shown[part] if one["environment"] == "production")
        for part in ("places", "judged")
    )
    assert place["off_by"] == "steerway"
    assert place["off_reason"].startswith("on is worse than off: 100 % of ")
    assert judged["state"] == "worse"
    assert flagged.types(before).count("flag.turned-off") == 1
    told = flagged.ok("flags", "show", *PLACE[:2])
    assert "Turned off by itself. Worse: 100 % of " in told
