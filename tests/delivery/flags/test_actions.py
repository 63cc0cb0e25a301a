"""Applying flag files, exposing variants, turning off."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from steerway.delivery.declarations import queries
from steerway.delivery.declarations.actions import declaring
from steerway.delivery.declarations.actions.publishing import Target
from steerway.delivery.declarations.errors import DefinedInFile, FlagUnknown, RestUnclear
from steerway.delivery.declarations.models import Exposure, Flag
from steerway.delivery.declarations.rules.states import Debt, Origin
from steerway.delivery.flagfiles.errors import FlagFileInvalid
from steerway.delivery.flags import actions as deciding
from steerway.delivery.flags.errors import (
    FlagIsOn,
    FlagOff,
    NothingOverFile,
    ShareInvalid,
    VariantUnknown,
)
from steerway.planning.changes import actions as changes
from steerway.planning.changes.errors import Held
from steerway.planning.changes.models import Change
from steerway.platform.errors import Forbidden
from steerway.platform.log.models import Event
from steerway.platform.work import Work
from tests.delivery.flags.conftest import METADATA, ROLLOUT, file, flag

HERE = Target("shop", "new-checkout", "production")


def published(environment: str = "production") -> dict[str, Any]:
    document = queries.document("shop", environment)
    assert document is not None
    found: dict[str, Any] = json.loads(document.text)["flags"]
    return found


def shares(environment: str = "production") -> Any:
    return published(environment)["new-checkout"]["targeting"]["fractional"]


def events(kind: str) -> list[Event]:
    return list(Event.objects.filter(type=kind).order_by("seq"))


def test_applying_a_file_declares_its_flags_and_publishes_them_everywhere(shop: str) -> None:
    found = queries.get("shop", "new-checkout")

    assert (found.owner, found.expires.isoformat()) == ("checkout", "2026-06-30")
    assert published("testing")["new-checkout"]["targeting"] == ROLLOUT
    assert [one.share for one in found.places.all()] == [10.0, 10.0]
    assert [one.type for one in Event.objects.filter(type__startswith="flag.").order_by("seq")] == [
        "flag.declared",
        "flag.exposed",
        "flag.exposed",
    ]


def test_applying_it_again_changes_nothing(work: Work, shop: str) -> None:
    before = Event.objects.count()

    assert declaring.apply(work, "shop", file(new_checkout=flag(ROLLOUT))) == []
    assert Event.objects.count() == before


def test_a_plan_shows_each_value_with_its_line(shop: str) -> None:
    wanted = file(new_checkout=flag({"fractional": [["on", 20], ["off", 80]]}))

    assert [str(one).partition("  ")[0] for one in queries.plan("shop", wanted)] == [
        '~ flags["new-checkout"].targeting.fractional[0][1]: 10 -> 20'.replace(
            '["new-checkout"]', ".new-checkout"
        ),
        "~ flags.new-checkout.targeting.fractional[1][1]: 90 -> 80",
    ]
    assert all(one.line for one in queries.plan("shop", wanted))


def test_a_flag_that_leaves_the_file_is_retired(work: Work, shop: str) -> None:
    declaring.apply(work, "shop", file(other=flag()))

    assert list(published()) == ["other"]
    assert events("flag.retired")[0].subject == "new-checkout"
    with pytest.raises(FlagUnknown):
        queries.get("shop", "new-checkout")


def test_an_environment_may_have_its_own_rule(work: Work, shop: str) -> None:
    whole = {
        "flags": {"new-checkout": flag(ROLLOUT)},
        "$environments": {"testing": {"new-checkout": {"defaultVariant": "on", "targeting": None}}},
    }

    declaring.apply(work, "shop", file(json.dumps(whole)))

    assert "targeting" not in published("testing")["new-checkout"]
    assert published("testing")["new-checkout"]["defaultVariant"] == "on"
    assert shares() == [["on", 10], ["off", 90]]


def test_a_hold_stops_a_flag_file_and_an_exposure(work: Work, shop: str) -> None:
    changes.hold(work, service="shop", reason="an audit")

    with pytest.raises(Held):
        declaring.apply(work, "shop", file(new_checkout=flag()))
    with pytest.raises(Held):
        deciding.expose(work, HERE, percent=50)


def test_an_emergency_passes_a_hold_with_a_reason(work: Work, shop: str) -> None:
    changes.hold(work, service="shop", reason="an audit")
    urgent = replace(HERE, emergency=True, why="The old checkout is down.")

    assert deciding.expose(work, urgent, percent=50).share == 50.0


def test_an_exposure_is_a_change_and_a_release_without_a_deployment(work: Work, shop: str) -> None:
    place = deciding.expose(work, HERE, percent=50)

    change = Change.objects.get(summary="Expose on of new-checkout to 50 % in production")
    released = Exposure.objects.order_by("-id")[0]
    assert (place.share, shares()) == (50.0, [["on", 5000], ["off", 5000]])
    assert (change.kind, change.state) == ("flag", "implemented")
    assert (released.before, released.after, released.change) == (10.0, 50.0, change)
    assert events("flag.exposed")[-1].environment == "production"
    assert not Event.objects.filter(type__startswith="deployment.").exists()


def test_an_exposure_is_not_lost_when_the_file_is_applied_again(work: Work, shop: str) -> None:
    deciding.expose(work, HERE, percent=50)

    declaring.apply(work, "shop", file(new_checkout=flag(ROLLOUT, metadata=METADATA | {"x": 1})))

    assert shares()[0] == ["on", 5000]
    assert queries.decided_over("shop")[0].startswith("new-checkout in production stays at 50 % on")


def test_an_exposure_that_the_new_rule_has_no_place_for_is_given_up_aloud(
    work: Work, shop: str
) -> None:
    deciding.expose(work, HERE, percent=50)

    declaring.apply(work, "shop", file(new_checkout=flag({"starts_with": [{"var": "a"}, "b"]})))

    assert queries.place(queries.get("shop", "new-checkout"), "production").exposure is None
    assert "does not end" in events("flag.restored")[0].data


def test_restoring_lets_the_file_hold_again(work: Work, shop: str) -> None:
    deciding.expose(work, HERE, percent=50)

    deciding.restore(work, HERE)

    assert shares() == [["on", 10], ["off", 90]]
    with pytest.raises(NothingOverFile):
        deciding.restore(work, HERE)


@pytest.mark.parametrize("brake", [changes.freeze, None])
def test_turning_off_passes_every_brake_and_is_off_for_everybody(
    work: Work, shop: str, brake: Any
) -> None:
    changes.hold(work, service="shop", reason="an audit")
    if brake:
        brake(work, reason="Christmas")

    place = deciding.turn_off(work, HERE, reason="It loses orders.", evidence={"e_value": 2000.0})

    assert (place.is_off, place.share, place.off_evidence) == (True, 0.0, {"e_value": 2000.0})
    assert published()["new-checkout"]["defaultVariant"] == "off"
    assert "targeting" not in published()["new-checkout"]
    assert "targeting" in published("testing")["new-checkout"]
    assert Change.objects.get(kind="rollback").facts["evidence"] == {"e_value": 2000.0}


def test_what_is_off_stays_off_until_it_is_turned_on(work: Work, shop: str) -> None:
    deciding.turn_off(work, HERE, reason="It loses orders.")
    before = Event.objects.count()

    deciding.turn_off(work, HERE, reason="Again.")

    assert Event.objects.count() == before
    with pytest.raises(FlagOff, match="It loses orders"):
        deciding.expose(work, HERE, percent=50)
    declaring.apply(work, "shop", file(new_checkout=flag(defaultVariant="on")))
    assert published()["new-checkout"]["defaultVariant"] == "off"
    assert deciding.turn_on(work, HERE).share == 100.0
    with pytest.raises(FlagIsOn):
        deciding.turn_on(work, HERE)


def test_a_viewer_may_neither_expose_nor_turn_off(guest: Work, shop: str) -> None:
    with pytest.raises(Forbidden):
        deciding.expose(guest, HERE, percent=1)
    with pytest.raises(Forbidden):
        deciding.turn_off(guest, HERE, reason="x")


@pytest.mark.parametrize("percent", [-1.0, 100.5, float("nan")])
def test_a_share_is_a_percentage(work: Work, shop: str, percent: float) -> None:
    with pytest.raises(ShareInvalid):
        deciding.expose(work, HERE, percent=percent)


def test_only_variants_of_the_flag_are_exposed(work: Work, shop: str) -> None:
    with pytest.raises(VariantUnknown, match="it has on, off"):
        deciding.expose(work, HERE, percent=5, variant="blue")


def test_a_rule_with_many_variants_is_changed_in_its_file(work: Work, shop: str) -> None:
    variants = {"a": 1, "b": 2, "c": 3}
    many = flag(
        {"fractional": [["a", 1], ["b", 1], ["c", 1]]}, variants=variants, defaultVariant="a"
    )
    declaring.apply(work, "shop", file(new_checkout=many))

    with pytest.raises(RestUnclear):
        deciding.expose(work, HERE, percent=5)


def test_a_flag_may_be_made_in_steerway_and_the_file_may_take_it_over(
    dave: Work, work: Work, shop: str
) -> None:
    here = Target("shop", "banner")

    declaring.define(dave, here, flag())
    assert published()["banner"]["state"] == "ENABLED"
    declaring.define(dave, here, flag(defaultVariant="on"))
    wanted = file(new_checkout=flag(ROLLOUT), banner=flag())
    assert str(queries.plan("shop", wanted)[0]) == (
        "~ flags.banner: defined in Steerway -> defined in flags.json"
    )
    declaring.apply(work, "shop", wanted)

    assert queries.get("shop", "banner").origin == Origin.FILE
    with pytest.raises(DefinedInFile):
        declaring.define(dave, here, flag())
    with pytest.raises(DefinedInFile):
        declaring.retire(dave, here)


def test_a_flag_made_in_steerway_is_held_to_the_same_rules_and_can_go(
    dave: Work, shop: str
) -> None:
    here = Target("shop", "banner")
    with pytest.raises(FlagFileInvalid, match="needs an owner"):
        declaring.define(dave, here, flag(metadata={"expires": "2026-06-30"}))

    declaring.define(dave, here, flag())
    declaring.retire(dave, here)

    assert "banner" not in published()
    assert Flag.objects.get(key="banner").retired_at == dave.now


def test_flags_that_should_leave_the_code_are_debt(work: Work, shop: str) -> None:
    deciding.expose(work, HERE, percent=100)
    deciding.evaluated(work, "shop", "production", ["new-checkout"])

    assert queries.in_debt(work.now) == []
    (found,) = queries.in_debt(work.now + timedelta(days=200))
    assert found.reasons == {
        "testing": [Debt.EXPIRED, Debt.NEVER_EVALUATED],
        "production": [Debt.EXPIRED, Debt.UNUSED, Debt.FULL],
    }
