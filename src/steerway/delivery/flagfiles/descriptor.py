"""The `flags` section: where the flags of the service are defined."""

from typing import Annotated

from pydantic import Field

from steerway.platform.descriptor.section import EXPECTED, Section

FlagFileName = Annotated[
    str,
    Field(
        max_length=200,
        pattern=r"^([A-Za-z0-9_-][A-Za-z0-9._-]*/)*[A-Za-z0-9_-][A-Za-z0-9._-]*\.json$",
        json_schema_extra={EXPECTED: "the path of a .json file beside or below the descriptor,"},
    ),
]


class FlagsSection(Section):
    """Where flags are defined."""

    file: FlagFileName | None = Field(
        default=None,
        description="A flag file in flagd's format, named from where the descriptor lies, such as "
        "flags.json. It is applied with the descriptor. None: flags are made in Steerway only.",
    )
