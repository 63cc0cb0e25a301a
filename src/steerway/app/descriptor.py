"""The descriptor as a whole: the sections of all processes, and the rules between them."""

from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from steerway.app.descriptor_telemetry import TelemetrySection
from steerway.delivery.builds.descriptor import BuildSection
from steerway.delivery.deployments.descriptor import ReleaseSection
from steerway.delivery.flagfiles.descriptor import FlagsSection
from steerway.delivery.repositories.descriptor import SourceSection
from steerway.delivery.router.descriptor import RouteSection
from steerway.delivery.runtimes.descriptor import RunSection
from steerway.platform.descriptor import loading, schema
from steerway.platform.descriptor.loading import Descriptor, Shape
from steerway.platform.descriptor.schema import Overrides
from steerway.platform.descriptor.section import Name, Section
from steerway.telemetry.dashboards.descriptor import DashboardSection

FILE: Final = "steerway.yaml"
ENVIRONMENTS_MAX: Final = 20
OVERRIDDEN: Final = ("run", "route", "release")

Override = dict[str, Any]
Owner = Annotated[str, Field(min_length=1, max_length=100)]


class EnvironmentSection(Section):
    """One environment. What it says here replaces what the service says; null removes it."""

    name: Name = Field(description="Name of the environment, unique in this file.")
    run: Annotated[Override, Overrides(RunSection)] = Field(
        default={}, description="What is different about the program here."
    )
    route: Annotated[Override, Overrides(RouteSection)] = Field(
        default={}, description="What is different about the way clients reach it here."
    )
    release: Annotated[Override, Overrides(ReleaseSection)] = Field(
        default={}, description="What is different about taking over here."
    )


class ServiceDescriptor(Section):
    """What should be true of one service."""

    steerway: Literal[1] = Field(description="Version of this format.")
    service: Name = Field(description="Name of the service, unique in the installation.")
    description: str = Field(
        default="", max_length=500, description="What the service is for, in one sentence."
    )
    owners: tuple[Owner, ...] = Field(
        default=(), max_length=20, description="People or teams who answer for it."
    )
    source: SourceSection = Field(
        default=SourceSection(), description="Where the service's files come from."
    )
    build: BuildSection = Field(
        default=BuildSection(), description="How a release is made of the files."
    )
    run: RunSection = Field(description="The program of the service.")
    route: RouteSection = Field(
        default=RouteSection(), description="How clients reach the service."
    )
    release: ReleaseSection = Field(
        default=ReleaseSection(), description="How a new version takes over."
    )
    dashboard: DashboardSection = Field(
        default=DashboardSection(), description="A page of panels about the service."
    )
    telemetry: TelemetrySection = Field(
        default=TelemetrySection(), description="What is measured of the service."
    )
    flags: FlagsSection = Field(
        default=FlagsSection(), description="Which features can be turned on and off while it runs."
    )
    environments: tuple[EnvironmentSection, ...] = Field(
        default=(EnvironmentSection(name="production"),),
        min_length=1,
        max_length=ENVIRONMENTS_MAX,
        description="Where the service runs, in the order that a change takes. The last one is "
        "reached as <service>.localhost.",
    )


SHAPE: Final = Shape(ServiceDescriptor, OVERRIDDEN, environments_max=ENVIRONMENTS_MAX)
ServiceFile = Descriptor[ServiceDescriptor]


def load(source: str | bytes | Path, file: str = "") -> ServiceFile:
    """The descriptor in a text or a file; `file` is how it is quoted back.

    Raises:
        DescriptorInvalid: with every mistake at once.
        OSError: the file cannot be read.
    """
    if isinstance(source, Path):
        return loading.load(SHAPE, source.read_bytes(), file or str(source))
    return loading.load(SHAPE, source, file or FILE)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a descriptor, for editors and other validators."""
    return schema.published(
        ServiceDescriptor, name="steerway.schema.json", title="Steerway service descriptor"
    )
