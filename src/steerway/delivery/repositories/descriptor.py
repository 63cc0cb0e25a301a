"""The `source` section: where the service's files come from."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from steerway.delivery.repositories import rules
from steerway.platform.descriptor.section import Section


class SourceSection(Section):
    """The git repository of the service, and what a deployment takes of it."""

    repository: str = Field(
        default=".",
        min_length=1,
        max_length=1000,
        description="Path of the git repository, counted from this file, or its https:// or "
        "ssh:// address. A path inside a repository stands for that directory of it.",
    )
    ref: str = Field(
        default="HEAD",
        min_length=1,
        max_length=rules.REF_LENGTH_MAX,
        description="Branch, tag or commit that a deployment takes when it names none.",
    )
    directory: str = Field(
        default=".",
        min_length=1,
        max_length=1000,
        description="Directory of the repository in which the service lives.",
    )

    @model_validator(mode="after")
    def is_usable(self) -> Self:
        """What git will be given is what it looks like."""
        rules.locate(self.repository, Path("/"))
        if not rules.is_ref(self.ref):
            raise ValueError(f"ref {self.ref!r} cannot be a branch, a tag or a commit")
        try:
            rules.joined("", self.directory)
        except ValueError:
            raise ValueError(f"directory {self.directory!r} leaves the repository") from None
        return self
