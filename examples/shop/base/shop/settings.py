"""What the environment tells the shop, read once at start."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import unquote

LEVELS = ("debug", "info", "warning", "error")


class SettingsError(Exception):
    """The environment cannot be used; the message lists every problem."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One running shop."""

    port: int
    data: Path
    log_level: str
    payment_key: str = field(repr=False)
    supplier_url: str | None
    otlp_endpoint: str | None
    otlp_headers: Mapping[str, str] = field(repr=False)
    sends_metrics: bool
    service_name: str
    resource_attributes: str
    migrate: bool
    threads: int
    linger: float

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """The settings, or every problem at once.

        Raises:
            SettingsError: a variable has a value that cannot be used.
        """
        get = environment.get
        problems: list[str] = []
        level = get("LOG_LEVEL", "info").lower()
        if level not in LEVELS:
            problems.append(f"LOG_LEVEL is {level}; use one of {', '.join(LEVELS)}")
        settings = cls(
            port=number(environment, "PORT", 8000, 65535, problems),
            data=Path(get("STEERWAY_DATA_DIR", "data")),
            log_level=level,
            payment_key=get("PAYMENT_KEY", ""),
            supplier_url=(get("SUPPLIER_URL") or "").rstrip("/") or None,
            otlp_endpoint=(get("OTEL_EXPORTER_OTLP_ENDPOINT") or "").rstrip("/") or None,
            otlp_headers=pairs(get("OTEL_EXPORTER_OTLP_HEADERS", "")),
            sends_metrics=get("OTEL_METRICS_EXPORTER", "otlp") == "otlp",
            service_name=get("OTEL_SERVICE_NAME", "shop"),
            resource_attributes=get("OTEL_RESOURCE_ATTRIBUTES", ""),
            migrate=get("SHOP_MIGRATE", "1") != "0",
            threads=number(environment, "SHOP_THREADS", 16, 256, problems),
            linger=number(environment, "SHOP_LINGER_MS", 1000, 60_000, problems) / 1000,
        )
        if problems:
            raise SettingsError("; ".join(problems))
        return settings


def pairs(text: str) -> dict[str, str]:
    """`a=1,b=2` as OpenTelemetry writes it: names and values with %20 for a space."""
    found = (pair.partition("=") for pair in text.split(",") if pair.strip())
    return {unquote(name.strip()): unquote(value.strip()) for name, _, value in found}


def number(
    environment: Mapping[str, str], name: str, default: int, highest: int, problems: list[str]
) -> int:
    """The whole number in a variable; a bad one is added to `problems`."""
    text = environment.get(name, str(default))
    if text.isdecimal() and int(text) <= highest:
        return int(text)
    problems.append(f"{name} is {text!r}; use a whole number up to {highest}")
    return default
