"""Two servers' worth of threads want the same release at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import connection, connections

from steerway.delivery.builds import workflows
from steerway.delivery.builds.adapters.builder import Builder
from steerway.delivery.builds.descriptor import BuildSection
from steerway.delivery.builds.models import Build
from steerway.delivery.builds.rules import Order
from steerway.delivery.builds.workflows import Workshop
from steerway.delivery.releases.adapters.store import Store
from steerway.delivery.releases.models import Release
from steerway.delivery.repositories.adapters.git import Git
from steerway.platform.db import new_id
from steerway.platform.log.models import Event
from steerway.platform.roles import Role
from steerway.platform.work import Work
from tests.cast import NOON, Started, actor
from tests.delivery.sources import ENVIRONMENT, Repository

ASKERS = 4


@pytest.fixture
def shared(transactional_db: None) -> None:
    """A database that threads share as servers do: a file, or a PostgreSQL server."""
    if connection.vendor == "sqlite" and "memory" in connection.settings_dict["NAME"]:
        pytest.skip("threads do not wait for each other in a database in memory")


@pytest.mark.database
@pytest.mark.usefixtures("shared")
def test_four_who_ask_at_once_get_one_release(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "shop")
    repository.commit("Sell beans", {"a.txt": "a"}, tag="v1")
    home = tmp_path / "home"
    workshop = Workshop(Git(home, ENVIRONMENT), Builder(home, ENVIRONMENT), Store(home))
    commit = workshop.git.resolve(str(repository.path), "v1")
    order = Order("shop", commit, BuildSection(command=f"echo x >> {tmp_path}/runs"), new_id())
    work = Work(actor=actor("alice", Role.ADMIN), now=NOON, starter=Started())

    def ask(_: int) -> Release:
        try:
            return workflows.build(workshop, lambda: work, replace(order, runner=new_id()))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(ASKERS) as pool:
        releases = set(pool.map(ask, range(ASKERS)))

    assert len(releases) == 1
    assert Build.objects.count() == 1
    assert (tmp_path / "runs").read_text() == "x\n"
    assert Event.objects.filter(type="release.built").count() == 1
