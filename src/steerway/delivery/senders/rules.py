"""OpenTelemetry's environment for a program. Pure.

Source: OpenTelemetry specification, "Environment Variable Specification" and "OTLP Exporter".
"""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final
from urllib.parse import quote

HEADERS: Final = "OTEL_EXPORTER_OTLP_HEADERS"
# With one of these a service says where its telemetry goes: our token must not go there with it.
ELSEWHERE: Final = re.compile(r"OTEL_EXPORTER_OTLP_(\w+_)?(ENDPOINT|HEADERS)", re.ASCII)


def sends_elsewhere(own: AbstractSet[str]) -> bool:
    """Whether a program with these variables says itself where its telemetry goes."""
    return any(ELSEWHERE.fullmatch(name) for name in own)


def who(*, service: str, environment: str, version: str, instance: str) -> Mapping[str, str]:
    """The variables that say who sends."""
    attributes = {
        "service.version": version,
        "deployment.environment.name": environment,
        "service.instance.id": instance,
    }
    return {
        "OTEL_SERVICE_NAME": service,
        "OTEL_RESOURCE_ATTRIBUTES": ",".join(
            f"{name}={quote(value, safe='')}" for name, value in attributes.items() if value
        ),
    }


def where(door: str) -> Mapping[str, str]:
    """The variables that say where to, and how."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": door,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    }
