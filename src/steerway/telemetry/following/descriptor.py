"""The `telemetry.logs` section: how what a service prints is understood."""

from typing import Literal

from pydantic import Field

from steerway.platform.descriptor.section import Section


class LogsSection(Section):
    """How the lines of the service are read."""

    format: Literal["auto", "text"] = Field(
        default="auto",
        description="auto: a line that is a JSON object gives its fields; text: no line does.",
    )
    multiline: Literal["auto", "off"] = Field(
        default="auto",
        description="auto: the lines of a stack trace are one message; off: each line is one.",
    )
