"""Every address there is: strangers are sent away, and viewers change nothing but their own.

The addresses come from the URL configuration and the API's description, so that a new one is
asked for here the day it is added.
"""

import json
import re
from collections.abc import Iterator

import pytest
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings

from steerway.app.urls import api
from steerway.delivery.analyses import actions as analyses
from steerway.delivery.analyses.actions import Subject
from steerway.delivery.canaries.descriptor import CanarySection
from steerway.delivery.deployments import queries as deployments
from steerway.delivery.deployments.models import Deployment
from steerway.planning.changes import queries as changes
from steerway.platform import clock
from steerway.platform.identity import tokens
from steerway.platform.identity.models import User
from steerway.platform.log import queries as log
from steerway.platform.roles import Role
from steerway.platform.work import Work
from tests.cast import Started, actor
from tests.platform.web import scene

pytestmark = [pytest.mark.django_db, pytest.mark.database]

# What a stranger may reach: the ways in, and out.
WAYS_IN = {
    "/account/login",
    "/account/logout",
    "/account/inactive",
    "/account/2fa/authenticate",
    "/account/2fa/webauthn/login",
    "/link/x",
}
API_WAYS_IN = {("post", "/api/device"), ("post", "/api/device/token")}
# What belongs to the person who asks: every role may change it, and nothing else.
OWN_PAGES = re.compile(r"/account(/.*)?|/device|/link/x")
OWN_API = {
    *API_WAYS_IN,
    ("delete", "/api/me/token"),
    ("post", "/api/tokens"),
    ("delete", "/api/tokens/00000000-0000-0000-0000-000000000000"),  # there is none: 404
}
# It only computes.
HARMLESS = {("post", "/api/services/shop/plan")}
METHOD_NOT_ALLOWED, FORBIDDEN, SERVER_ERROR = 405, 403, 500
STATE_CHANGING_MIN = 30  # so many there are; fewer found means that the search has gone blind
VALUES = {
    "service": "shop",
    "environment": "production",
    "seq": "1",
    "key": "new-checkout",
    "trace_id": "0123456789abcdef0123456789abcdef",
    "pk": "1",
    "secret": "x",
    "token_id": "00000000-0000-0000-0000-000000000000",
}
FLAG = "/api/flags/shop/new-checkout"
BODIES = {
    ("put", FLAG): {"definition": {}},
    ("put", f"{FLAG}/production/exposure"): {"percent": 5},
    ("put", f"{FLAG}/production/off"): {"reason": "x"},
    ("post", f"{FLAG}/production/rollout"): {"steps": "5%"},
    ("post", "/api/deployments"): {"service": "shop", "environment": "production"},
    ("post", "/api/rollbacks"): {"service": "shop", "environment": "production"},
    ("post", "/api/holds"): {"service": "shop", "reason": "x"},
    ("put", "/api/freeze"): {"reason": "x"},
    ("post", "/api/people"): {"name": "mallory", "role": "admin"},
    ("patch", "/api/people/shop"): {"role": "admin"},
    ("put", "/api/secrets/shop/shop"): {"value": "x"},
    ("put", "/api/services/shop"): {"text": "steerway: 1\nservice: shop\nrun: {command: 'true'}\n"},
    ("put", "/api/services/shop/pause"): {"reason": "x"},
}
FORM = {
    "reason": "x", "environment": "production", "name": "mallory", "role": "admin",
    "percent": "5", "steps": "5%", "why": "x",
}  # fmt: skip


def _patterns(found: list[URLPattern | URLResolver], prefix: str = "/") -> Iterator[str]:
    for one in found:
        address = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _patterns(one.url_patterns, address)
        elif not address.startswith("/api/"):
            yield address


def _pages(values: dict[str, str]) -> set[str]:
    known = get_resolver("steerway.app.urls").url_patterns
    return {
        re.sub(r"<(?:\w+:)?(\w+)>", lambda found: values[found[1]], _with_hold(address))
        for address in _patterns(known)
    }


def _api(values: dict[str, str]) -> set[tuple[str, str]]:
    described = {
        (method, re.sub(r"\{(\w+)\}", lambda found: values[found[1]], _with_hold(address)))
        for address, methods in api.get_openapi_schema()["paths"].items()
        for method in methods
    }
    return described | {("get", "/api/schema"), ("get", "/api/no-such-thing")}


def _with_hold(address: str) -> str:
    """Holds have numbers of their own, and are `ref` in addresses like the rest."""
    return re.sub(r"(?<=/holds/)([<{])(str:)?ref", r"\1\2hold", address)


def _ask(client: Client, method: str, address: str) -> HttpResponseBase:
    known = {"percent": 50} if address.endswith("/analysis/approval") else {}
    body = BODIES.get((method, address), known)
    return client.generic(
        method.upper(), address, json.dumps(body), content_type="application/json"
    )


def judge(deployment: Deployment) -> None:
    """The new version is compared with what serves."""
    subject = Subject(
        deployment_id=deployment.id,
        ref=deployment.ref,
        service=deployment.service,
        environment=deployment.environment,
        version=deployment.version,
        stable_version="v1.12",
        section=CanarySection().model_dump(mode="json"),
        percent=5.0,
    )
    analyses.begin(scene.at(clock.now()), subject)


@pytest.fixture
def values(db: None, settings: Settings) -> dict[str, str]:
    """What stands in addresses: a believable installation, in which guest is a viewer."""
    settings.STEERWAY_STARTER = "tests.platform.web.scene.start"
    found = scene.play(clock.now())
    hold = changes.open_holds()[0]
    judge(deployments.get(found.running))
    User.objects.create_user("guest", role="viewer")
    names = {"ref": found.running, "hold": hold.ref, "release_id": found.release, "name": "shop"}
    return VALUES | names


@pytest.fixture
def guest(values: dict[str, str]) -> Client:
    """A viewer's browser."""
    client = Client()
    client.force_login(
        User.objects.get(username="guest"), "allauth.account.auth_backends.AuthenticationBackend"
    )
    return client


def test_a_stranger_is_sent_to_the_sign_in_from_every_page(values: dict[str, str]) -> None:
    stranger = Client()

    open_to_them = {
        (address, answer.status_code)
        for address in _pages(values)
        for answer in (stranger.get(address), stranger.post(address, FORM))
        if not answer.headers.get("Location", "").startswith("/account/login?next=")
    }

    assert {address for address, _ in open_to_them} <= WAYS_IN


def test_a_stranger_gets_nothing_from_the_api(values: dict[str, str]) -> None:
    stranger = Client()

    statuses = {
        (method, address): _ask(stranger, method, address).status_code
        for method, address in _api(values) - API_WAYS_IN
    }

    assert set(statuses.values()) == {401}, statuses


def test_a_viewer_changes_nothing_but_their_own(guest: Client, values: dict[str, str]) -> None:
    pages = {address for address in _pages(values) if not OWN_PAGES.fullmatch(address)}
    writing = {a for a in pages if guest.get(a).status_code == METHOD_NOT_ALLOWED} | {"/people"}
    calls = {(m, a) for m, a in _api(values) if m != "get"} - OWN_API - HARMLESS
    before = log.last_seq()

    statuses = {("post", a): guest.post(a, FORM).status_code for a in writing}
    statuses |= {(m, a): _ask(guest, m, a).status_code for m, a in calls}
    reading = {a: guest.post(a, FORM).status_code for a in pages - writing}

    assert {key: status for key, status in statuses.items() if status != FORBIDDEN} == {}
    assert len(statuses) > STATE_CHANGING_MIN
    # Telemetry is not open here, and says so.
    assert SERVER_ERROR not in reading.values()
    assert log.last_seq() == before


def test_a_narrow_token_reads_only_what_its_scopes_cover(values: dict[str, str]) -> None:
    headers = {
        scope: {"Authorization": f"Bearer {_token(scope)}"}
        for scope in ("deployments.start", "records.read", "secrets.list")
    }
    reads = {a for m, a in _api(values) if m == "get"} - {"/api/schema", "/api/no-such-thing"}

    allowed = {
        scope: {a for a in reads if Client().get(a, headers=sent).status_code != FORBIDDEN}
        for scope, sent in headers.items()
    }

    assert allowed["deployments.start"] == {"/api/me", "/api/ready"}
    assert allowed["secrets.list"] == {"/api/me", "/api/ready", "/api/secrets"}
    assert reads - allowed["records.read"] == {
        "/api/log/export",
        "/api/people",
        "/api/secrets",
        "/api/tokens",
    }


def _token(scope: str) -> str:
    """The secret of a developer's token for one thing only."""
    dave, _ = User.objects.get_or_create(username="dave", defaults={"role": "developer"})
    own = Work(actor=actor("dave", Role.DEVELOPER), now=clock.now(), starter=Started())
    name = scope.replace(".", "-")
    _, secret = tokens.create(own, name=name, days=1, owner=dave.username, scopes=[scope])
    return secret
