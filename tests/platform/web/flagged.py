"""Flags of the shop on the scene: one rolled out, one turned off, one nobody asks for."""

import json
from datetime import datetime, timedelta
from typing import Any

from steerway.delivery.declarations.actions import declaring
from steerway.delivery.declarations.actions.publishing import Target
from steerway.delivery.exposures.workflows import Judge
from steerway.delivery.flagfiles.rules.checking import load
from steerway.delivery.flags import actions as deciding
from steerway.delivery.rollouts.rules import steps_of
from steerway.planning.catalog import queries as catalog
from tests.platform.web.scene import at

STAFF = {"ends_with": [{"var": "email"}, "@beans.example"]}
NEW = {"sem_ver": [{"var": "app"}, ">=", "2.4.0"]}


def flag(description: str, targeting: Any = None, **more: Any) -> dict[str, Any]:
    metadata = {"owner": "checkout", "expires": "2031-06-30", "description": description}
    rule = {} if targeting is None else {"targeting": targeting}
    whole = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}
    return {**whole, **rule, **more, "metadata": metadata | more.get("metadata", {})}


FLAGS = {
    "new-checkout": flag(
        "Payment on one page, with the saved cards of a customer.",
        {"if": [{"$ref": "staff"}, "on", {"fractional": [["on", 10], ["off", 90]]}]},
    ),
    "gift-cards": flag("Cards that can be given away.", {"if": [NEW, None, "off"]}),
    "roast-map": flag("A map of where the beans come from."),
    "search-ranking": flag(
        "How results are ordered.",
        {"fractional": [["popular", 50], ["fresh", 50]]},
        variants={"popular": "popular", "fresh": "fresh"},
        defaultVariant="popular",
        metadata={"expires": "2020-02-01", "owner": "search"},
    ),
}


def play(now: datetime) -> None:
    """Weeks of flags, ending with a rollout under way."""
    whole = {"flags": FLAGS, "$evaluators": {"staff": STAFF}}
    file = load(json.dumps(whole, indent=2), "flags.json", ("testing", "production"))
    declaring.apply(at(now - timedelta(days=9), "alice"), "shop", file)
    asked = ["new-checkout", "roast-map", "gift-cards"]
    deciding.evaluated(at(now - timedelta(seconds=40)), "shop", "production", asked)
    deciding.expose(
        at(now - timedelta(days=2), "bob"), Target("shop", "new-checkout", "testing"), percent=100
    )
    deciding.turn_off(
        at(now - timedelta(hours=7)),
        Target("shop", "roast-map", "production"),
        reason="Requests with the map fail nine times as often as those without it.",
        evidence={"variant": "on", "failed": "41 of 880", "rest": "9 of 1740"},
    )
    deciding.roll_out(
        at(now - timedelta(minutes=50), "carol"),
        Target("shop", "new-checkout", "production", why="Two weeks at 10 % were quiet."),
        steps=steps_of("25%,50%@1h,100%@1d"),
    )
    compared(now)


def compared(now: datetime) -> None:
    """The rollout of the new checkout, by requests of the last minutes."""
    counted = {"on": {"ok": 0, "error": 0}, "off": {"ok": 0, "error": 0}}
    node = catalog.get("shop").node
    for look in range(20):
        work = at(now - timedelta(seconds=60 - 2 * look))
        Judge(
            lambda *_: {"0": {"new-checkout": counted}},
            deciding.turn_off,
            lambda: work,  # noqa: B023
            node=node,
        ).look()
        counted["on"]["ok"] += 25
        counted["on"]["error"] += look % 9 == 0
        counted["off"]["ok"] += 75
        counted["off"]["error"] += look % 5 == 0
