"""From a commit to a release: once for each input, whoever asks, whatever happens meanwhile."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from steerway.delivery.builds import actions, errors, queries, rules, workflows
from steerway.delivery.builds.adapters.builder import Builder
from steerway.delivery.builds.descriptor import BuildSection
from steerway.delivery.builds.models import Build
from steerway.delivery.builds.rules import Order, State
from steerway.delivery.builds.workflows import Brake, Workshop
from steerway.delivery.releases import actions as release_actions
from steerway.delivery.releases import workflows as releases
from steerway.delivery.releases.adapters.store import Store
from steerway.delivery.releases.models import Release
from steerway.delivery.releases.rules import File, Manifest, Origin, Sealed
from steerway.delivery.repositories.adapters.git import Git
from steerway.platform.db import new_id
from steerway.platform.log.models import Event
from steerway.platform.work import Work
from tests.delivery.sources import ENVIRONMENT, Repository

ORIGIN = Origin("1" * 40, "v1", "Sell beans", "Alice", "2" * 64)
SEALED = Sealed(Manifest("files", "", (File("a", "0644", 1, "3" * 64),)))


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "shop")
    repository.commit("Sell beans", {"shop.py": "BEANS = 3\n"}, tag="v1")
    return repository


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    home = tmp_path / "home"
    return Workshop(Git(home, ENVIRONMENT), Builder(home, ENVIRONMENT), Store(home))


@pytest.fixture
def order(workshop: Workshop, repository: Repository) -> Order:
    commit = workshop.git.resolve(str(repository.path), "v1")
    return Order("shop", commit, BuildSection(), new_id())


@pytest.fixture
def build(workshop: Workshop, work: Work) -> Callable[..., Release]:
    def build(order: Order, brake: Brake | None = None) -> Release:
        return workflows.build(workshop, lambda: work, order, brake)

    return build


def _digest(workshop: Workshop, order: Order) -> str:
    return rules.input_digest(order.commit.tree, order.section, workshop.builder.machine)


def _command(order: Order, command: str) -> Order:
    return replace(order, section=BuildSection(command=command), runner=new_id())


def test_a_commit_becomes_a_release(
    build: Callable[..., Release], workshop: Workshop, order: Order
) -> None:
    release = build(order)

    assert (release.name, release.commit) == ("v1", order.commit.id)
    assert (release.subject, release.author) == ("Sell beans", "Alice")
    assert workshop.store.verify(release.digest)
    assert (workshop.store.path(release.digest) / "shop.py").read_text() == "BEANS = 3\n"
    assert (workshop.store.path(release.digest) / ".venv" / "bin" / "python").exists()
    kinds = list(Event.objects.order_by("id").values_list("type", flat=True))
    assert kinds == ["build.started", "release.built", "build.succeeded"]
    assert queries.ready("shop", _digest(workshop, order)) == release


def test_the_same_input_is_built_once(build: Callable[..., Release], order: Order) -> None:
    first = build(order)
    second = build(replace(order, runner=new_id()))

    assert first == second
    assert Build.objects.count() == 1


def test_another_commit_with_the_same_files_is_not_built_again(
    build: Callable[..., Release], workshop: Workshop, order: Order, repository: Repository
) -> None:
    first = build(order)
    repository.commit("Nothing new")
    again = workshop.git.resolve(str(repository.path), "main")

    assert build(replace(order, commit=again)) == first


def test_two_services_share_files_and_each_has_its_release(
    build: Callable[..., Release], workshop: Workshop, work: Work, order: Order
) -> None:
    shop = build(order)
    mail = build(replace(order, service="mail", runner=new_id()))
    newer = build(_command(order, "touch more"))

    releases.keep(
        workshop.store, lambda: work, service="shop", count=1, protected=lambda: {newer.id}
    )

    assert shop.digest == mail.digest
    assert workshop.store.holds(mail.digest)

    releases.keep(
        workshop.store, lambda: work, service="mail", count=1, protected=lambda: {newer.id}
    )
    assert workshop.store.holds(mail.digest)


def test_a_release_that_was_removed_is_built_again(
    build: Callable[..., Release], workshop: Workshop, work: Work, order: Order
) -> None:
    first = build(order)
    newer = build(_command(order, "touch more"))
    releases.keep(
        workshop.store, lambda: work, service="shop", count=1, protected=lambda: {newer.id}
    )
    assert not workshop.store.holds(first.digest)

    again = build(replace(order, runner=new_id()))

    assert again == first
    assert workshop.store.holds(again.digest)
    states = Build.objects.filter(input_digest=first.input_digest).values_list("state", flat=True)
    assert sorted(states) == ["expired", "succeeded"]


def test_files_that_a_crash_left_behind_are_swept(
    build: Callable[..., Release], workshop: Workshop, work: Work, order: Order
) -> None:
    old, new = build(order), build(_command(order, "touch more"))
    release_actions.keep(work, service="shop", count=1, protected={new.id})

    assert releases.sweep(workshop.store) == [old.digest[:16]]
    assert workshop.store.holds(new.digest)


def test_files_that_somebody_removed_are_built_again(
    build: Callable[..., Release], workshop: Workshop, order: Order
) -> None:
    first = build(order)
    workshop.store.remove(first.digest)

    again = build(replace(order, runner=new_id()))

    assert again == first
    assert workshop.store.verify(again.digest)


def test_a_failed_build_shows_the_end_of_its_log_and_can_be_tried_again(
    build: Callable[..., Release], order: Order, tmp_path: Path
) -> None:
    fails = _command(order, f"echo no beans; test -e {tmp_path}/beans")

    with pytest.raises(errors.BuildFailed, match="ended with exit code 1") as caught:
        build(fails)

    assert caught.value.fields["last_lines"] == [f"$ {fails.section.command}", "no beans"]
    failed = Build.objects.get()
    assert (failed.state, failed.last_lines[-1]) == (State.FAILED, "no beans")
    (tmp_path / "beans").touch()
    assert build(fails)


def test_a_cancelled_build_is_recorded_and_leaves_nothing(
    build: Callable[..., Release], workshop: Workshop, order: Order
) -> None:
    with pytest.raises(errors.BuildCancelled):
        build(_command(order, "sleep 60"), Brake(cancelled=lambda: True))

    assert Build.objects.get().state == State.CANCELLED
    assert list((workshop.builder.home / "builds").iterdir()) == []
    assert not workshop.store.directory.exists()


def test_a_tree_that_is_refused_fails_the_build(
    build: Callable[..., Release], workshop: Workshop, order: Order, repository: Repository
) -> None:
    (repository.path / "link").symlink_to("/etc")
    repository.commit("Link")
    commit = workshop.git.resolve(str(repository.path), "main")

    with pytest.raises(errors.BuildFailed, match="outside the tree"):
        build(replace(order, commit=commit))


def test_a_full_disk_is_said_as_such(workshop: Workshop, work: Work, order: Order) -> None:
    full = replace(workshop, builder=replace(workshop.builder, free_bytes_min=10**18))

    with pytest.raises(errors.DiskFull):
        workflows.build(full, lambda: work, order)

    assert "is full" in Build.objects.get().error


def _running(work: Work, order: Order, workshop: Workshop, runner: UUID) -> Build:
    build = actions.request(work, order, input_digest=_digest(workshop, order))
    assert actions.claim(work, build, runner=runner)
    return build


def test_a_second_asker_waits_for_the_first(
    build: Callable[..., Release], workshop: Workshop, work: Work, order: Order
) -> None:
    first = _running(work, order, workshop, new_id())
    waited: list[float] = []

    def pause(seconds: float) -> None:
        waited.append(seconds)
        tree = workshop.builder.home / "made"
        tree.mkdir()
        (tree / "a").touch()
        sealed = workshop.store.put(tree, kind="files")
        actions.finish(work, first, origin=ORIGIN, sealed=sealed)

    release = build(order, Brake(pause=pause))

    assert len(waited) == 1
    assert release.commit == ORIGIN.commit
    assert Build.objects.count() == 1


def test_a_second_asker_learns_that_the_first_failed(
    build: Callable[..., Release], workshop: Workshop, work: Work, order: Order
) -> None:
    first = _running(work, order, workshop, new_id())

    def pause(_: float) -> None:
        actions.fail(work, first, error="no beans", last_lines=["oh"])

    with pytest.raises(errors.BuildFailed, match="no beans"):
        build(order, Brake(pause=pause))


def test_a_second_asker_builds_when_the_first_is_cancelled(
    build: Callable[..., Release], workshop: Workshop, work: Work, order: Order
) -> None:
    first = _running(work, order, workshop, new_id())

    def pause(_: float) -> None:
        actions.cancel(work, first)

    assert build(order, Brake(pause=pause))
    assert sorted(Build.objects.values_list("state", flat=True)) == ["cancelled", "succeeded"]


def test_a_second_asker_may_give_up_and_the_first_goes_on(
    build: Callable[..., Release], workshop: Workshop, work: Work, order: Order
) -> None:
    first = _running(work, order, workshop, new_id())

    with pytest.raises(errors.BuildCancelled):
        build(order, Brake(cancelled=lambda: True))

    assert queries.get(first.id).state == State.RUNNING


def test_a_step_that_runs_again_after_a_crash_takes_its_build_up_again(
    build: Callable[..., Release], workshop: Workshop, work: Work, order: Order
) -> None:
    first = _running(work, order, workshop, order.runner)
    (workshop.builder.home / "builds" / str(first.id) / "tree").mkdir(parents=True)

    release = build(order)

    assert queries.get(first.id).release == release


def test_a_build_whose_server_is_silent_is_taken_over(
    workshop: Workshop, work: Work, order: Order
) -> None:
    first = _running(work, order, workshop, new_id())
    later = replace(work, now=work.now + rules.LEASE + timedelta(seconds=1))

    release = workflows.build(workshop, lambda: later, order)

    assert queries.get(first.id).release == release
    assert not actions.beat(work, first, runner=new_id())


def test_a_build_that_was_taken_over_stops(
    build: Callable[..., Release], workshop: Workshop, work: Work, order: Order, tmp_path: Path
) -> None:
    slow = _command(order, f"touch {tmp_path}/began; sleep 60")
    done: list[Release] = []

    def cancelled() -> bool:
        if (tmp_path / "began").exists() and not done:
            Build.objects.update(runner=new_id())
            tree = workshop.builder.home / "made"
            tree.mkdir()
            (tree / "a").touch()
            sealed = workshop.store.put(tree, kind="files")
            done.append(actions.finish(work, Build.objects.get(), origin=ORIGIN, sealed=sealed))
        return False

    assert build(slow, Brake(cancelled=cancelled)) == done[0]


def test_two_who_ask_at_once_get_one_build(workshop: Workshop, work: Work, order: Order) -> None:
    digest = _digest(workshop, order)
    asked = {actions.request(work, order, input_digest=digest).id for _ in range(2)}
    build = queries.get(asked.pop())

    assert not asked
    assert actions.claim(work, build, runner=new_id())
    assert not actions.claim(work, build, runner=new_id())


def test_an_end_is_recorded_once(workshop: Workshop, work: Work, order: Order) -> None:
    build = _running(work, order, workshop, order.runner)

    one = actions.finish(work, build, origin=ORIGIN, sealed=SEALED)
    two = actions.finish(work, build, origin=ORIGIN, sealed=SEALED)
    actions.fail(work, build, error="late", last_lines=[])
    actions.cancel(work, build)

    assert one == two
    assert queries.get(build.id).state == State.SUCCEEDED
    assert Event.objects.filter(type="build.succeeded").count() == 1


def test_a_sweep_removes_what_killed_servers_left(
    workshop: Workshop, work: Work, order: Order
) -> None:
    lost = _running(work, order, workshop, new_id())
    place = workshop.builder.home / "builds" / str(lost.id)
    (place / "tree").mkdir(parents=True)

    workflows.sweep(workshop, lambda: work)
    assert place.exists()

    later = replace(work, now=work.now + rules.LOST_AFTER + timedelta(seconds=1))
    workflows.sweep(workshop, lambda: later)
    assert not place.exists()
    assert queries.get(lost.id).state == State.FAILED


def test_the_log_of_a_build_can_be_read(
    build: Callable[..., Release], workshop: Workshop, order: Order
) -> None:
    build(_command(order, "echo beans"))

    assert queries.log(workshop.builder.home, Build.objects.get().id).endswith(" beans\n")
    assert queries.log(workshop.builder.home, new_id()) == ""
