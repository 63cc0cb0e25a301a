"""The API as a whole: its routers, and the one translation of errors to problems."""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Router
from ninja.constants import NOT_SET
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema

from steerway import __version__
from steerway.app import descriptor_api as descriptors
from steerway.control.bridge import api as bridge
from steerway.control.coverage import api as coverage
from steerway.control.signals import api as signals
from steerway.control.traffic import api as traffic
from steerway.delivery.analyses import api as analyses
from steerway.delivery.deployments import api as deployments
from steerway.delivery.flags import api as flags
from steerway.delivery.releases import api as releases
from steerway.delivery.runtimes import api as runtimes
from steerway.planning.changes import api as changes
from steerway.platform.errors import (
    Forbidden,
    Invalid,
    NotFound,
    Refused,
    SteerwayError,
    Unavailable,
)
from steerway.platform.identity import api as identity
from steerway.platform.identity.middleware import READS
from steerway.platform.log import api as log
from steerway.platform.secrets import api as secrets
from steerway.telemetry.collectors import api as collectors
from steerway.telemetry.logs import api as logs
from steerway.telemetry.traces import api as traces

# The visible list: every router, where it is mounted.
ROUTERS: list[tuple[str, Router]] = [
    ("/ready", bridge.ready),
    ("/status", bridge.status),
    ("/services", descriptors.router),
    ("/services", runtimes.router),
    ("/services", traffic.router),
    ("/markers", signals.router),
    ("/changes", changes.router),
    ("/holds", changes.holds),
    ("/freeze", changes.freeze),
    ("/deployments", deployments.router),
    ("/deployments", analyses.router),
    ("/rollbacks", deployments.rollbacks),
    ("/releases", releases.router),
    ("/flags", flags.router),
    ("/coverage", coverage.router),
    ("/collectors", collectors.router),
    ("/log", log.router),
    ("/logs", logs.router),
    ("/traces", traces.router),
    ("/me", identity.me),
    ("/people", identity.people),
    ("/tokens", identity.keys),
    ("/device", identity.device),
    ("/secrets", secrets.router),
]

PREFIX = "/api/"
SENTENCES = {
    404: "There is nothing at this address.",
    405: "This address has other methods; `Allow` names them.",
}
PROBLEM_TYPE = "application/problem+json"
PROBLEM = {
    "title": "Problem",
    "description": "Why not: one sentence in `detail`; what the sentence names, as further fields.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}

# Where a query asks for a permission of its own, or the answer is about who asks.
ASKING_THEMSELVES: Final = {"/ready", "/me", "/people", "/tokens", "/device", "/secrets"}

STATUS = {Forbidden: 403, NotFound: 404, Refused: 409, Invalid: 422, Unavailable: 503}
TITLES = {
    400: "The request cannot be read",
    401: "Sign in first",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    409: "Refused",
    422: "Invalid",
    429: "Too many requests",
    503: "Unavailable",
}


def problem(
    status: int,
    detail: str,
    kind: str = "about:blank",
    fields: Mapping[str, Any] = MappingProxyType({}),
) -> HttpResponse:
    """A problem document.

    Source: RFC 9457.
    """
    body = {"type": kind, "title": TITLES.get(status, "Error"), "status": status, "detail": detail}
    content = json.dumps({**fields, **body}, default=str)  # a field never hides ours
    return HttpResponse(content, status=status, content_type=PROBLEM_TYPE)


def status_of(error: SteerwayError) -> int:
    """The HTTP status of an error of ours."""
    return next(code for kind, code in STATUS.items() if isinstance(error, kind))


def _may_read(request: HttpRequest) -> bool:
    """Reading asks for one permission, so that scopes narrow it; what changes, asks for its own.

    Raises:
        OutOfScope: the token was made for less.
    """
    if request.method in READS:
        request.work.allow("records.read")  # type: ignore[attr-defined]  # set by the middleware
    return True


def _steerway_error(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(status_of(error), str(error), f"/errors/{error.code()}", error.fields)


def _validation_error(request: HttpRequest, error: Any) -> HttpResponse:
    errors = [
        {"where": ".".join(str(part) for part in e["loc"]), "message": e["msg"]}
        for e in error.errors
    ]
    sentence = "; ".join(f"{e['where']}: {e['message']}" for e in errors)
    return problem(422, sentence, "/errors/request-invalid", {"errors": errors})


def _http_error(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(error.status_code, str(error))


def _not_found(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(404, SENTENCES[404])


class Problems:
    """Middleware: what the framework itself refuses at the API is a problem too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Stand before the views."""
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer, put into the one shape."""
        answer = self._get_response(request)
        sentence = SENTENCES.get(answer.status_code, "")
        is_page = answer.get("Content-Type", "").startswith("text/html")
        if not sentence or not is_page or not request.path.startswith(PREFIX):
            return answer
        found = problem(answer.status_code, sentence)
        if "Allow" in answer:
            found["Allow"] = answer["Allow"]
        return found


class Described(NinjaAPI):
    """The API, whose description also says how it says no and who may call."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """The description, with a problem beside each operation's own answers."""
        schema = super().get_openapi_schema(**options)
        parts = schema.setdefault("components", {})
        parts.setdefault("schemas", {})["Problem"] = PROBLEM
        parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        schema["security"] = [{"token": []}]
        refusal = {
            "description": "A problem, by RFC 9457.",
            "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for operations in schema["paths"].values():
            for operation in operations.values():
                operation["responses"].setdefault("default", refusal)
        return schema


def build() -> NinjaAPI:
    """The API with every router mounted."""
    api = Described(
        title="Steerway",
        version=__version__,
        description="Plan, deliver and control a team's software.",
        openapi_url="/schema",
        docs_url=None,
    )
    api.add_exception_handler(SteerwayError, _steerway_error)
    api.add_exception_handler(ValidationError, _validation_error)
    api.add_exception_handler(HttpError, _http_error)
    api.add_exception_handler(Http404, _not_found)
    for prefix, router in ROUTERS:
        asks = NOT_SET if prefix in ASKING_THEMSELVES else _may_read
        api.add_router(prefix, router, auth=asks)
    return api
