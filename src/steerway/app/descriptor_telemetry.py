"""The `telemetry` section of a descriptor: what each process of that area has to say in it."""

from pydantic import Field

from steerway.platform.descriptor.section import Section
from steerway.telemetry.collectors.descriptor import SupplierSection
from steerway.telemetry.databases.descriptor import ObservedDatabaseSection
from steerway.telemetry.following.descriptor import LogsSection
from steerway.telemetry.scraping.descriptor import ScrapeSection


class TelemetrySection(Section):
    """What is measured of the service, beside what Steerway measures of every service."""

    send: bool = Field(
        default=True,
        description="Whether replicas find the OTEL_… environment with which OpenTelemetry's "
        "libraries send to Steerway. What `run` sets itself is left as it is. It takes effect "
        "with the next deployment.",
    )
    scrape: tuple[ScrapeSection, ...] = Field(
        default=(), max_length=20, description="Pages of metrics in the format of Prometheus."
    )
    databases: tuple[ObservedDatabaseSection, ...] = Field(
        default=(), max_length=20, description="Databases of the service, to be looked at."
    )
    logs: LogsSection = Field(
        default=LogsSection(), description="How what the service prints is understood."
    )
    suppliers: tuple[SupplierSection, ...] = Field(
        default=(), max_length=50, description="Whom the service needs, and whether they answer."
    )
    series: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="Most series of metrics that it may have; 0 for what STEERWAY_INGEST_SERIES "
        "says. Further ones are refused, and their sender is told the label with the most values.",
    )
