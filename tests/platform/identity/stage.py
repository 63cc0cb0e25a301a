"""A small server for the tests of identity: its pages, its API, and a page that needs no role."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import path
from ninja import NinjaAPI, Router

from steerway.app import api as app_api
from steerway.app import identity_urls as urls
from steerway.platform.errors import SteerwayError
from steerway.platform.identity import api
from steerway.platform.log import queries as log
from steerway.platform.secrets.api import router as secrets
from steerway.platform.web.request import SteerwayRequest

PASSWORD = "correct horse battery"
STARTED: list[tuple[str, UUID]] = []


def start(workflow: str, record_id: UUID) -> None:
    """Note a workflow that was asked for."""
    STARTED.append((workflow, record_id))


def home(request: HttpRequest) -> HttpResponse:
    """Anybody who is signed in."""
    return HttpResponse(f"hello {request.work.actor.name}")  # type: ignore[attr-defined]


probe = Router()


@probe.post("/{permission}", response={200: str})
def ask(request: SteerwayRequest, permission: str) -> str:
    """Write to the log, then ask for a permission."""
    request.work.record("probe.asked", permission)
    request.work.allow(permission)
    return request.work.actor.name


built = NinjaAPI(urls_namespace="stage", docs_url=None)
built.add_exception_handler(SteerwayError, app_api._steerway_error)
for prefix, router in (
    ("/me", api.me),
    ("/people", api.people),
    ("/tokens", api.keys),
    ("/device", api.device),
    ("/secrets", secrets),
    ("/probe", probe),
):
    built.add_router(prefix, router)

urlpatterns = [
    path("", home),
    path("api/", built.urls),
    *urls.patterns(single_sign_on=False),
]


def kinds() -> list[str]:
    """The types of everything in the log, oldest first."""
    return [event.type for event in reversed(log.newest(log.Filter(), rows=100))]
