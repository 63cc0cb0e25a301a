"""Steps that ask a repository. Each may run twice."""

from pathlib import Path

from steerway.delivery.repositories import errors
from steerway.delivery.repositories.adapters.git import Git
from steerway.delivery.repositories.descriptor import SourceSection, locate
from steerway.delivery.repositories.rules import Commit


def resolve(git: Git, *, source: SourceSection, base: Path, ref: str = "") -> Commit:
    """The commit that `ref`, or the section's own reference, names now.

    Args:
        git: the mirrors of this installation.
        source: the section of the descriptor.
        base: the directory of the descriptor, from which a relative path counts.
        ref: a branch, tag or commit; the section's if empty.

    Raises:
        NotFound, Refused, Invalid, Unavailable: see `errors`, one for each reason.
    """
    try:
        location = locate(source.repository, base)
    except ValueError as error:
        raise errors.LocationRefused(repository=source.repository, reason=error) from error
    return git.resolve(location, ref or source.ref, source.directory)
