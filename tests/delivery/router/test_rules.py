"""Names and contradictions."""

from uuid import UUID

import pytest

from steerway.delivery.router.rules import (
    Share,
    Table,
    Version,
    VirtualHost,
    cluster_name,
    conflicts,
    domains,
    whole,
)

FIRST = UUID("01938b2e-0000-7000-8000-0123456789ab")
SECOND = UUID("01938b2e-0000-7000-8000-0123456789ac")


def host(name: str, domain: str, *shares: Share) -> VirtualHost:
    return VirtualHost(name, name, "production", (domain,), shares)


def test_each_deployment_has_a_name_of_its_own() -> None:
    names = {cluster_name("shop", "production", one) for one in (FIRST, SECOND)}

    assert names == {"shop-production-0123456789ab", "shop-production-0123456789ac"}


@pytest.mark.parametrize(
    ("is_last", "hosts", "expected"),
    [
        (True, (), ("shop.localhost", "shop.production.localhost")),
        (False, (), ("shop.production.localhost",)),
        (
            True,
            ("shop.example.com", "shop.localhost"),
            ("shop.localhost", "shop.production.localhost", "shop.example.com"),
        ),
    ],
)
def test_the_last_environment_has_the_short_name(
    is_last: bool, hosts: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert domains("shop", "production", is_last=is_last, hosts=hosts) == expected


def test_two_services_cannot_have_one_host() -> None:
    table = Table((host("shop", "shop.test"), host("stall", "shop.test")))

    assert conflicts(table) == ["the host shop.test belongs to shop and stall"]


def test_traffic_goes_only_to_what_runs() -> None:
    table = Table((host("shop", "shop.test", Share("gone", 100)),))

    assert conflicts(table) == ["shop sends traffic to gone, which is not running"]


@pytest.mark.parametrize("name", ["", "a.b", "A", "a/b", "a b", "a__or__b"])
def test_a_name_that_statistics_or_files_would_misread_is_a_mistake(name: str) -> None:
    with pytest.raises(AssertionError):
        Version(name, "shop", "production", "v1", ())


@pytest.mark.parametrize("percents", [(50,), (60, 50), (0,)])
def test_shares_are_a_whole(percents: tuple[int, ...]) -> None:
    with pytest.raises(AssertionError):
        host("shop", "shop.test", *(Share(f"v{n}", p) for n, p in enumerate(percents)))


@pytest.mark.parametrize(
    ("percents", "expected"),
    [((), ()), ((100,), (100,)), ((90, 10), (90, 10)), ((10,), (100,)), ((50, 20), (80, 20))],
)
def test_the_stable_version_takes_what_nobody_else_has(
    percents: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    shares = tuple(Share(f"v{n}", percent) for n, percent in enumerate(percents))

    assert tuple(one.percent for one in whole(shares)) == expected
