"""The API keeps what its description promises, whatever it is sent."""

import json
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis.strategies import booleans
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.journeys.installation import Installation

pytestmark = pytest.mark.journey
EXAMPLES: Final = 12
PROBLEM: Final = 400
# A good call of it ends the token that the calls after it need.
APART: Final = ("DELETE", "/api/me/token")
# What is there, so that not every call is about nothing.
THERE: Final = {"service": "shop", "environment": "production", "ref": "DEP-1"}
NAMES: Final = {"people": "vera", "services": "shop", "secrets": "payment-key"}
CHECKS: Final = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)


@pytest.fixture(scope="module")
def token(serving: Installation) -> str:
    """The token of somebody who may do anything."""
    serving.ok("user", "add", "vera", "--role", "viewer")
    serving.ok("user", "add", "ada", "--role", "admin")
    made = serving.ok("token", "create", "fuzz", "--owner", "ada", "--json")
    return str(json.loads(made)["secret"])


def test_the_api_keeps_what_its_description_promises(serving: Installation, token: str) -> None:
    schema = schemathesis.openapi.from_dict(serving.client.get("/api/schema"))
    schema.config.base_url = f"http://127.0.0.1:{serving.port}"
    faults: list[str] = []

    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        if (operation.method.upper(), operation.path) != APART:
            faults += faults_of(operation, token)

    assert not faults, "\n".join(faults)
    assert serving.answers()
    assert serving.shop_version() in ("v1", "v2")  # a wish may well have been a good one
    assert serving.steerway("log", "verify").code == 0


def faults_of(operation: Any, token: str) -> list[str]:
    """What is not as promised; the smallest example of it."""
    described = operation.definition.raw["responses"]

    @hypothesis_settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), there=booleans())
    def check(case: Any, there: bool) -> None:
        if there:
            name_what_is_there(case)
        response = case.call(headers={"Authorization": f"Bearer {token}"}, timeout=20)
        case.validate_response(response, checks=CHECKS)
        if response.status_code >= PROBLEM and str(response.status_code) not in described:
            said = response.json()
            assert said["status"] == response.status_code, said
            assert {"type", "title", "detail"} <= set(said), said

    try:
        check()
    except (AssertionError, FailureGroup, Failure) as fault:
        return [f"{operation.method.upper()} {operation.path}: {fault}"]
    return []


def name_what_is_there(case: Any) -> None:
    """Put names that exist in the place of names that were made up."""
    kind = case.operation.path.split("/")[2]
    there = THERE | {"name": NAMES.get(kind, "shop")}
    there |= {"ref": "CHG-1"} if kind == "changes" else {}
    for parameters in (case.path_parameters, case.query, case.body):
        if isinstance(parameters, dict):
            parameters.update({key: there[key] for key in parameters if key in there})
