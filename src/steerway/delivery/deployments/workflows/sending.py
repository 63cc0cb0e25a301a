"""How a replica sends its telemetry to Steerway with nothing configured.

It finds the standard environment of OpenTelemetry, unless its descriptor sets that itself, with
a token of its own that may write telemetry of its service and environment and nothing else.
Source: OpenTelemetry specification, "Environment Variable Specification" and "OTLP Exporter".
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from steerway.delivery.deployments.models import Deployment
from steerway.delivery.deployments.workflows.ground import Ground
from steerway.delivery.runtimes.models import Replica
from steerway.delivery.runtimes.rules import Program, SealedSecret
from steerway.platform.identity.rules import digest, new_token
from steerway.platform.keys import key
from steerway.platform.secrets.sealing import seal

HEADERS: Final = "OTEL_EXPORTER_OTLP_HEADERS"
# With one of these a service says where its telemetry goes: our token must not go there with it.
ELSEWHERE: Final = re.compile(r"OTEL_EXPORTER_OTLP_(\w+_)?(ENDPOINT|HEADERS)", re.ASCII)


def able_to_send(
    ground: Ground, deployment: Deployment, replica: Replica, program: Program
) -> tuple[Program, str]:
    """The program with what OpenTelemetry's libraries look for, and the hash of its token."""
    if not ground.telemetry or not deployment.plan.get("telemetry", {}).get("send", True):
        return program, ""
    own = program.environment.keys() | program.secrets.keys()
    given = {**_who(deployment, replica)}
    secrets, sender = dict(program.secrets), ""
    if not any(ELSEWHERE.fullmatch(name) for name in own):
        given |= {
            "OTEL_EXPORTER_OTLP_ENDPOINT": ground.telemetry,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        }
        secrets[HEADERS], sender = _token(ground, replica)
    added = {name: value for name, value in given.items() if name not in own}
    environment = {**added, **program.environment}
    return replace(program, environment=environment, secrets=secrets), sender


def _who(deployment: Deployment, replica: Replica) -> Mapping[str, str]:
    attributes = {
        "service.version": deployment.version,
        "deployment.environment.name": deployment.environment,
        "service.instance.id": replica.program,
    }
    return {
        "OTEL_SERVICE_NAME": deployment.service,
        "OTEL_RESOURCE_ATTRIBUTES": ",".join(
            f"{name}={quote(value, safe='')}" for name, value in attributes.items() if value
        ),
    }


def _token(ground: Ground, replica: Replica) -> tuple[SealedSecret, str]:
    """The token of a replica, sealed, and its hash: the same when the step is taken again.

    The program may run already with the one it was given first.
    """
    kept = replica.to_run().secrets.get(HEADERS) if replica.spec and replica.sender else None
    if kept is not None:
        return kept, replica.sender
    secret = new_token()
    text = seal(key(ground.home, "secrets"), HEADERS, f"Authorization=Bearer%20{secret}")
    return SealedSecret(HEADERS, text), digest(secret)
