"""Who takes part: alice (admin), olga (operator), dave (developer), guest (viewer)."""

from collections.abc import Callable, Iterator

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from steerway.platform import clock
from steerway.platform.identity.models import User
from steerway.platform.roles import Role
from steerway.platform.work import Work
from tests.cast import Started, actor
from tests.platform.identity.served import Server, serving
from tests.platform.identity.stage import PASSWORD

CAST = {"alice": "admin", "olga": "operator", "dave": "developer", "guest": "viewer"}


@pytest.fixture(autouse=True)
def stage(settings: Settings) -> Iterator[None]:
    """The small server, a cheap hash, and no counts of earlier tests."""
    settings.ROOT_URLCONF = "tests.platform.identity.stage"
    settings.STEERWAY_STARTER = "tests.platform.identity.stage.start"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def people(db: None, stage: None) -> dict[str, User]:
    """The cast, each with the same password."""
    return {
        name: User.objects.create_user(name, password=PASSWORD, role=role)
        for name, role in CAST.items()
    }


@pytest.fixture
def browser(people: dict[str, User]) -> Callable[[str], Client]:
    """A browser in which somebody is signed in. It checks form tokens as a real one must."""

    def open_browser(name: str) -> Client:
        client = Client()
        client.force_login(people[name])
        return client

    return open_browser


@pytest.fixture
def works(people: dict[str, User]) -> Callable[[str], Work]:
    """The work of one of the cast, now: pages and API ask the clock themselves."""

    def work_of(name: str) -> Work:
        return Work(actor=actor(name, Role(CAST[name])), now=clock.now(), starter=Started())

    return work_of


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A real server in a process of its own, with both doors."""
    with serving() as served:
        yield served
