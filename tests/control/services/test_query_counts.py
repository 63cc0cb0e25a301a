"""Pages and lists ask the database as often for sixty services as for three."""

import pytest
from benchmarks.seeding import Size, fill, name
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from steerway.delivery.deployments import queries as deployments
from steerway.platform.identity.models import User
from steerway.platform.log import queries as log
from steerway.platform.work import Work

pytestmark = [pytest.mark.django_db, pytest.mark.database]

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
FEW = Size(services=3, rounds=2, events=60)
MANY = Size(services=60, rounds=3, events=600)
PAGES = (
    "/", "/services", "/services/{service}", "/services?q=service-", "/deployments",
    "/deployments?environment=testing", "/deployments/{deployment}", "/releases", "/changes",
    "/changes/{change}", "/log", "/log?service={service}", "/log?since=7d", "/search?q=service",
    "/api/status", "/api/status?service={service}", "/api/services", "/api/deployments",
    "/api/changes", "/api/log", "/api/holds", "/services/{service}/dashboard", "/hosts",
    "/explore", "/explore/logs", "/api/markers?from=2026-01-01T00:00Z&until=2027-01-01T00:00Z",
)  # fmt: skip
# With the session, the person, and what is around every page.
QUERIES_MAX = 21


def test_no_page_asks_more_often_when_there_is_more(work: Work) -> None:
    client = Client()
    client.force_login(User.objects.create_user("alice", role="admin"), BACKEND)

    few = _counted(client, work, FEW)
    many = _counted(client, work, MANY)

    assert many == few
    assert max(many.values()) <= QUERIES_MAX


def test_what_is_filled_in_bulk_has_a_chain_that_verifies(work: Work) -> None:
    fill(work, FEW)

    assert log.verify().bad is None


def _counted(client: Client, work: Work, size: Size) -> dict[str, int]:
    """Queries of each page in an installation of this size, which is gone afterwards."""
    with transaction.atomic():
        fill(work, size)
        counted = {page: _queries(client, page) for page in PAGES}
        transaction.set_rollback(True)
    return counted


def _queries(client: Client, page: str) -> int:
    found = deployments.newest(service=name(1), rows=1)[0]
    path = page.format(service=name(1), deployment=found.ref, change=found.change.ref)
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)
