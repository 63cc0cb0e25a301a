"""Databases to look at, and statements without their values, to count equal ones together."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, NamedTuple

SHOWN_MAX: Final = 200
STATEMENT_MAX: Final = 20_000
STATEMENTS_MAX: Final = 200

_COMMENT: Final = re.compile(r"--[^\n]*|/\*(?:[^*]|\*(?!/))*\*/")
_TEXT: Final = re.compile(r"\$(\w*)\$.*?\$\1\$|(?:\b[eE])?'(?:[^'\\]|''|\\.)*'", re.DOTALL)
_NUMBER: Final = re.compile(r"(?<![\w$.])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b")
_PLACE: Final = re.compile(r"\$\d+|%s|(?<!:):\w+\b")
_LIST: Final = re.compile(r"\(\s*\?(?:\s*,\s*\?)+\s*\)")
_LISTS: Final = re.compile(r"(\(\?\))(?:\s*,\s*\(\?\))+")
_SPACE: Final = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Database:
    """A database to look at: an SQLite file by its path, else PostgreSQL."""

    name: str
    service: str
    environment: str
    path: str = ""

    @property
    def labels(self) -> dict[str, str]:
        """What all its series have."""
        job = "sqlite" if self.path else "postgresql"
        return {
            "job": job,
            "service": self.service,
            "environment": self.environment,
            "database": self.name,
        }


class Statement(NamedTuple):
    """A statement without values: its name in labels, and how it is shown."""

    fingerprint: str
    shown: str


def fingerprint(sql: str) -> Statement:
    """What a statement is, whatever values it was sent with. No value is left in it."""
    text = _COMMENT.sub(" ", sql[:STATEMENT_MAX])
    text = _TEXT.sub("?", text)
    # A text that was cut off in the middle of a value may hold a part of it.
    text = text.partition("'")[0] if "'" in text else text
    text = _PLACE.sub("?", _NUMBER.sub("?", text))
    text = _LISTS.sub(r"\1", _LIST.sub("(?)", text))
    text = _SPACE.sub(" ", text).strip().rstrip(";").strip()
    digest = blake2b(text.lower().encode(), digest_size=8).hexdigest()
    return Statement(digest, text[:SHOWN_MAX])


@dataclass(slots=True)
class Sightings:
    """How often statements were seen running, where the database keeps no statistics of its own."""

    counts: dict[Statement, int] = field(default_factory=dict)
    longest: dict[Statement, float] = field(default_factory=dict)

    def see(self, running: Iterable[tuple[str, float]]) -> None:
        """Count statements that run now, each with the seconds it has been running for."""
        for sql, seconds in running:
            one = fingerprint(sql)
            if one not in self.counts and len(self.counts) >= STATEMENTS_MAX:
                continue
            self.counts[one] = self.counts.get(one, 0) + 1
            self.longest[one] = max(self.longest.get(one, 0.0), seconds)
