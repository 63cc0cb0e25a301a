"""Routes in the records, and the table that follows from them."""

from dataclasses import replace
from uuid import UUID

import pytest

from steerway.delivery.router import actions, queries
from steerway.delivery.router.actions import Aim
from steerway.delivery.router.errors import HostTaken
from steerway.delivery.router.rules import Endpoint, Health, Share
from steerway.delivery.runtimes.models import Replica
from steerway.platform.work import Work
from tests.cast import NOON

OLD = UUID("01938b2e-0000-7000-8000-00000000000a")
NEW = UUID("01938b2e-0000-7000-8000-00000000000b")
RELEASES = {OLD: "v1", NEW: "v2"}
HEALTHS = {OLD: Health("/healthz"), NEW: Health("/ready")}


def aim(
    *shares: tuple[UUID, int], hosts: tuple[str, ...] = (), environment: str = "production"
) -> Aim:
    return Aim(
        service="shop",
        environment=environment,
        shares=dict(shares),
        is_last=environment == "production",
        settings={"hosts": list(hosts), "retries": 1, "idle": "9s"},
    )


def replica(deployment: UUID, port: int | None, *, routed: bool = True) -> Replica:
    return Replica(
        deployment_id=deployment,
        service="shop",
        environment="production",
        port=port,
        routed=routed,
        placed_at=NOON,
    )


def test_traffic_goes_where_it_is_pointed(work: Work) -> None:
    actions.point(work, aim((OLD, 100)))
    live = [replica(OLD, 20001), replica(OLD, 20002), replica(NEW, 20003)]

    table = queries.table({"shop"}, live, RELEASES, HEALTHS)

    (host,) = table.hosts
    old, new = table.versions
    assert host.domains == ("shop.localhost", "shop.production.localhost")
    assert host.shares == (Share("shop-production-00000000000a", 100),)
    assert host.retries == 1
    assert old.endpoints == (Endpoint("127.0.0.1", 20001), Endpoint("127.0.0.1", 20002))
    assert (new.release, new.health.path, new.idle.total_seconds()) == ("v2", "/ready", 9)


def test_replicas_without_a_port_or_out_of_traffic_are_not_served(work: Work) -> None:
    actions.point(work, aim((OLD, 100)))

    idle = [replica(OLD, None), replica(OLD, 20001, routed=False)]
    table = queries.table({"shop"}, idle, RELEASES, HEALTHS)

    assert table.versions == ()
    assert table.hosts[0].shares == ()


def test_a_router_serves_only_what_lives_on_its_server(work: Work) -> None:
    actions.point(work, aim((OLD, 100)))

    assert queries.table({"cart"}, [], {}, {}).hosts == ()


def test_a_version_that_is_gone_leaves_its_share_to_the_stable_one(work: Work) -> None:
    actions.point(work, aim((OLD, 90), (NEW, 10)))

    table = queries.table({"shop"}, [replica(OLD, 20001)], RELEASES, HEALTHS)

    assert table.hosts[0].shares == (Share("shop-production-00000000000a", 100),)


def test_pointing_where_it_points_changes_nothing(work: Work) -> None:
    assert actions.point(work, aim((OLD, 100)))
    assert not actions.point(work, aim((OLD, 100)))
    assert actions.point(work, aim((NEW, 100)))

    route = queries.route("shop", "production")
    assert route
    assert route.shares == [{"deployment": str(NEW), "percent": 100}]


@pytest.mark.parametrize("host", ["shop.example.com", "shop.localhost"])
def test_a_host_leads_to_one_place(work: Work, host: str) -> None:
    actions.point(work, aim((OLD, 100), hosts=("shop.example.com",)))

    with pytest.raises(HostTaken, match=f"{host} already leads to shop/production"):
        actions.point(work, aim((NEW, 100), hosts=(host,), environment="testing"))


def test_a_name_that_steerway_gives_can_be_taken_too(work: Work) -> None:
    actions.point(work, aim((OLD, 100), hosts=("shop.testing.localhost",)))

    with pytest.raises(
        HostTaken, match=r"shop\.testing\.localhost already leads to shop/production"
    ):
        actions.point(work, aim((NEW, 100), environment="testing"))


def test_places_whose_names_read_alike_are_two_hosts(work: Work) -> None:
    for service, environment in (("shop-api", "production"), ("shop", "api-production")):
        actions.point(work, Aim(service, environment, shares={OLD: 100}, is_last=False))

    table = queries.table({"shop", "shop-api"}, [], {}, {})

    assert len({host.name for host in table.hosts}) == 2


def test_the_short_name_goes_to_the_environment_that_is_last_now(work: Work) -> None:
    actions.point(work, aim((OLD, 100)))

    actions.point(work, replace(aim((NEW, 100), environment="abroad"), is_last=True))

    hosts = {h.environment: h.domains for h in queries.table({"shop"}, [], {}, {}).hosts}
    assert hosts == {
        "production": ("shop.production.localhost",),
        "abroad": ("shop.localhost", "shop.abroad.localhost"),
    }


def test_a_closed_route_leads_nowhere(work: Work) -> None:
    actions.point(work, aim((OLD, 100)))

    assert actions.close(work, service="shop", environment="production")
    assert not actions.close(work, service="shop", environment="production")
    assert queries.table({"shop"}, [], {}, {}).hosts == ()
