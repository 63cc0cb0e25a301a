"""All findings of a directory as one."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

from steerway.app.detection import compose, dockerfile, node, procfile, python
from steerway.app.detection.finding import Finding, slug

# In the order of trust: who says how the program is started is believed first.
FINDERS: Final = (compose.find, procfile.find, dockerfile.find, python.find, node.find)
_NOTHING = (
    "Nothing here says how the program is started; this command serves the files as they are."
)
_EXAMPLE = "python -m http.server $PORT --bind 127.0.0.1"


def detect(directory: Path) -> Finding:
    """What the files of `directory` say; where they differ, the first finder is believed.

    Files that only describe the project (pyproject.toml, package.json) give name and build, and
    their command only where no other file has one.
    """
    found = [finding for find in FINDERS if (finding := find(directory)) is not None]
    whole = Finding(source="", notes=())
    for finding in found:
        whole = _joined(whole, finding)
    if not whole.command:
        whole = replace(whole, command=_EXAMPLE, run={"health": {"path": "/"}}).noting(_NOTHING)
    name = whole.name or slug(directory.resolve().name) or "service"
    return replace(whole, name=name)


def _joined(first: Finding, second: Finding) -> Finding:
    """`first`, and what only `second` says."""
    is_used = not first.command and bool(second.command)
    notes = second.notes if is_used or not first.command or not _is_about_start(second) else ()
    return Finding(
        source=", ".join(filter(None, [first.source, second.source])),
        name=first.name or second.name,
        description=first.description or second.description,
        command=first.command or second.command,
        kind=first.kind or second.kind,
        build=first.build or second.build,
        worker=second.worker if is_used else first.worker,
        run={**second.run, **first.run},
        environment={**second.environment, **first.environment},
        secrets={**second.secrets, **first.secrets},
        notes=(*first.notes, *notes),
    )


def _is_about_start(finding: Finding) -> bool:
    """Whether its notes only explain the command it proposes."""
    return bool(re.search(r"pyproject|requirements|\.py$|package", finding.source))
