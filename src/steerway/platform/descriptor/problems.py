"""One thing that is wrong in a file: where, what, and what to do about it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Final

from steerway.platform.descriptor.nodes import Mark

PROBLEMS_MAX: Final = 100  # more than anybody reads; a wrong file can have thousands


@dataclass(frozen=True, slots=True)
class Problem:
    """A sentence about one place in a file. Lines and columns count from 1."""

    file: str
    line: int
    column: int
    path: str  # "run.replicas", or "" where the text as a whole is meant
    message: str
    hint: str = ""

    def __str__(self) -> str:
        """`steerway.yaml:14:7: run.replicas: …, got "many"; did you mean …?`."""
        parts = [f"{self.file}:{self.line}:{self.column}", self.path, self.message]
        line = ": ".join(part for part in parts if part)
        return f"{line}; {self.hint}" if self.hint else line

    def as_json(self) -> dict[str, str | int]:
        """The same, for machines."""
        return asdict(self)


def problem(file: str, at: Mark, path: str, message: str, hint: str = "") -> Problem:
    """A problem at a mark."""
    return Problem(file, at.line, at.column, path, message, hint)


def ordered(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Each problem once, from the top of the file down, the topmost `PROBLEMS_MAX`."""
    found = sorted(set(problems), key=lambda p: (p.line, p.column, p.path, p.message))
    if len(found) <= PROBLEMS_MAX:
        return tuple(found)
    last = found[PROBLEMS_MAX]
    more = Problem(last.file, last.line, last.column, "", "more problems follow from here")
    return (*found[:PROBLEMS_MAX], more)
