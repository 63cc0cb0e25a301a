"""Which deployment serves, which one to return to, and which releases must stay."""

import pytest

from steerway.delivery.deployments import actions, queries
from steerway.delivery.deployments.actions import Wish
from steerway.delivery.deployments.errors import DeploymentUnknown, NeverServed, NothingToRollBack
from steerway.delivery.releases import actions as releases
from steerway.delivery.releases.models import Release
from tests.delivery.deployments.conftest import Counter

PLACE = ("shop", "production")


def target() -> str:
    """The version that a rollback returns to."""
    return queries.last_good(*PLACE).version


def remove(counter: Counter, version: str) -> None:
    """The files of a version go."""
    release = Release.objects.get(name=version)
    others = set(Release.objects.exclude(id=release.id).values_list("id", flat=True))
    releases.keep(counter.work, service="shop", count=0, protected=others)


def test_a_deployment_by_its_name_or_number(counter: Counter) -> None:
    served = counter.serve("v1")

    assert queries.get("DEP-1") == queries.get("dep-1") == queries.get("1") == served


@pytest.mark.parametrize("ref", ["DEP-2", "x", "", "DEP-" + "9" * 40])
def test_a_deployment_that_is_not_there(counter: Counter, ref: str) -> None:
    counter.serve("v1")

    with pytest.raises(DeploymentUnknown, match="`steerway deployments` lists them"):
        queries.get(ref)


def test_nothing_serves_before_the_first(counter: Counter) -> None:
    counter.begin("v1")

    assert queries.serving(*PLACE) is None
    with pytest.raises(NothingToRollBack, match="has no earlier good release"):
        queries.last_good(*PLACE)


def test_the_newest_that_went_well_serves(counter: Counter) -> None:
    counter.serve("v1")
    second = counter.serve("v2")
    counter.fail("v3")
    counter.begin("v4")

    assert queries.serving(*PLACE) == second
    assert queries.all_serving() == [second]


def test_the_first_version_has_nothing_before_it(counter: Counter) -> None:
    counter.serve("v1")

    with pytest.raises(NothingToRollBack):
        queries.last_good(*PLACE)


def test_one_returns_to_the_version_before(counter: Counter) -> None:
    counter.serve("v1")
    counter.serve("v2")

    assert target() == "v1"


def test_what_failed_never_served_and_is_skipped(counter: Counter) -> None:
    counter.serve("v1")
    counter.fail("v2")
    counter.serve("v3")

    assert target() == "v1"


def test_what_was_rolled_back_from_is_skipped(counter: Counter) -> None:
    counter.serve("v1")
    counter.serve("v2")
    counter.roll_back()
    counter.serve("v3")

    assert target() == "v1"


def test_rollbacks_in_a_row_go_further_and_further_back(counter: Counter) -> None:
    for version in ("v1", "v2", "v3"):
        counter.serve(version)

    assert [counter.roll_back().version, counter.roll_back().version] == ["v2", "v1"]
    with pytest.raises(NothingToRollBack):
        queries.last_good(*PLACE)


def test_what_was_rolled_back_from_is_good_again_once_somebody_deploys_it(
    counter: Counter,
) -> None:
    counter.serve("v1")
    counter.serve("v2")
    counter.roll_back()
    counter.serve("v2")
    counter.serve("v3")

    assert target() == "v2"


def test_the_same_release_with_the_same_configuration_is_skipped(counter: Counter) -> None:
    counter.serve("v1")
    counter.serve("v2")
    counter.serve("v2")

    assert target() == "v1"


def test_the_same_release_with_an_earlier_configuration_is_good(counter: Counter) -> None:
    first = counter.serve("v1")
    counter.declare(level="debug")
    counter.serve("v1")

    found = queries.last_good(*PLACE)

    assert found == first
    assert found.plan["run"]["environment"]["LOG_LEVEL"] == "info"


def test_a_release_whose_files_are_gone_is_skipped(counter: Counter) -> None:
    for version in ("v1", "v2", "v3"):
        counter.serve(version)
    remove(counter, "v2")

    assert target() == "v1"


def test_what_serves_elsewhere_is_no_way_back_here(counter: Counter) -> None:
    counter.serve("v1", "testing")
    counter.serve("v2")

    with pytest.raises(NothingToRollBack):
        queries.last_good(*PLACE)


@pytest.mark.parametrize("how", ["name", "commit", "digest"])
def test_a_version_is_named_by_name_commit_or_digest(counter: Counter, how: str) -> None:
    first = counter.serve("v1")
    counter.serve("v2")
    counter.serve("v3")
    assert first.release is not None
    wanted = {"name": "v1", "commit": first.release.commit[:8], "digest": first.release.digest[:8]}

    assert queries.earlier(*PLACE, wanted[how]) == first


@pytest.mark.parametrize("how", ["short", "unknown", "failed", "serving"])
def test_a_version_that_cannot_be_returned_to_is_answered_with_those_that_can(
    counter: Counter, how: str
) -> None:
    first = counter.serve("v1")
    counter.fail("v2")
    counter.serve("v3")
    assert first.release is not None
    wanted = {"short": first.release.commit[:3], "unknown": "v9", "failed": "v2", "serving": "v3"}

    with pytest.raises(NeverServed, match="Versions to return to: v1"):
        queries.earlier(*PLACE, wanted[how])


def test_what_serves_and_what_a_rollback_takes_must_stay(counter: Counter) -> None:
    made = {version: counter.serve(version).release_id for version in ("v1", "v2", "v3")}

    assert queries.protected_releases("shop") == {made["v2"], made["v3"]}


def test_every_environment_protects_its_own(counter: Counter) -> None:
    made = {version: counter.serve(version).release_id for version in ("v1", "v2", "v3")}
    counter.serve("v1", "testing")

    assert queries.protected_releases("shop") == set(made.values())


def test_a_rollback_that_skips_protects_what_it_would_take(counter: Counter) -> None:
    made = {version: counter.serve(version).release_id for version in ("v1", "v2")}
    counter.roll_back()
    third = counter.serve("v3").release_id

    assert queries.protected_releases("shop") == {made["v1"], third}


def test_what_is_being_deployed_must_stay(counter: Counter) -> None:
    counter.serve("v1")
    running = counter.begin("v2")

    assert running.release_id in queries.protected_releases("shop")


def test_while_a_deployment_has_no_release_yet_all_must_stay(counter: Counter) -> None:
    made = {version: counter.serve(version).release_id for version in ("v1", "v2", "v3")}
    actions.start(counter.work, Wish("shop", "production", "v4"))

    assert queries.protected_releases("shop") == set(made.values())


def test_failures_stand_until_something_comes_after_them(counter: Counter) -> None:
    counter.fail("v1")
    failed = counter.fail("v2")

    assert queries.unresolved() == [failed]

    counter.begin("v3")
    assert queries.unresolved() == []


def test_deployments_are_listed_newest_first_by_place_and_page(counter: Counter) -> None:
    for version in ("v1", "v2", "v3"):
        counter.serve(version)
    counter.serve("v1", "testing")

    first = queries.newest(environment="production", rows=2)
    second = queries.newest(environment="production", before=first[-1].number, rows=2)

    assert [one.ref for one in first + second] == ["DEP-3", "DEP-2", "DEP-1"]
    assert queries.newest(service="tea") == []


def test_deployments_of_a_release(counter: Counter) -> None:
    first = counter.serve("v1", "testing")
    counter.serve("v2")
    again = counter.serve("v1")
    assert first.release_id is not None

    assert queries.of_release(first.release_id) == [again, first]


def test_only_what_lives_here_is_carried_out_here(counter: Counter) -> None:
    from steerway.planning.catalog import queries as catalog  # noqa: PLC0415

    running = counter.begin("v1")

    assert queries.running_of(catalog.living_on(counter.work.node)) == [running]
    assert queries.running_of(catalog.living_on("another")) == []
