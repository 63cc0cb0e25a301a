"""Programs whose lines are followed, and their lines as rows of the store. Pure."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, quote_plus

import pyarrow as pa

from steerway.platform.secrets.rules import redact
from steerway.telemetry.following.rules.lines import VALUE_MAX, Parsed, believed, parse, plain
from steerway.telemetry.following.rules.messages import Message
from steerway.telemetry.ingest.rules.tables import SCHEMAS
from steerway.telemetry.logs.rules.search import CUT

PROCESS: Final = "process"
_MICROSECOND: Final = timedelta(microseconds=1)
_COLOURS: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_SEPARATOR: Final = "\0"  # no secret has one, and none is left in a line


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A program whose log is followed. `secrets` are values that must not be stored.

    `is_joining`: lines of a stack trace are one message. `is_text`: no line is read as JSON.
    `is_over`: it prints nothing more.
    """

    instance: str
    path: Path
    service: str
    environment: str
    version: str
    secrets: tuple[str, ...] = field(default=(), repr=False)
    is_joining: bool = True
    is_text: bool = False
    is_over: bool = False
    source: str = PROCESS


@dataclass(slots=True)
class Rows:
    """Lines of one source of one day. `taken`: bytes that they are made of."""

    source: Source
    parsed: list[Parsed]
    moments: list[datetime]
    taken: int = 0


def rows(
    source: Source, messages: Iterable[Message], *, read_at: datetime, after: datetime | None
) -> Rows:
    """The rows of messages that follow the moment `after`, the last one of this source.

    Each row has a later moment than the one before, by a microsecond if need be: so lines stay in
    the order in which they were printed. Rows end where a day ends, because the store writes the
    rows of one day at once, and those of two days not.
    """
    found = Rows(source, [], [])
    last = after
    for message in messages:
        text = _COLOURS.sub("", message.text.decode(errors="replace")).replace(_SEPARATOR, "\ufffd")
        if text.strip():
            one = plain(text) if source.is_text else parse(text)
            at = believed(one.at, read_at)
            if last is not None and at <= last:
                at = last + _MICROSECOND
            if found.moments and at.date() != found.moments[0].date():
                return found
            if message.is_cut:
                one.attributes[CUT] = "true"
            found.parsed.append(one)
            found.moments.append(at)
            last = at
        found.taken = message.end
    return found


def hide(found: Rows) -> None:
    """Mask the values of secrets, as they are and as JSON and addresses write them."""
    values = {form for value in found.source.secrets for form in _forms(value)}
    if not values or not found.parsed:
        return
    bodies = redact(_SEPARATOR.join(one.body for one in found.parsed), values)
    for one, body in zip(found.parsed, bodies.split(_SEPARATOR), strict=True):
        one.body = body
    texts = [text for one in found.parsed for pair in one.attributes.items() for text in pair]
    if not texts:
        return
    hidden = iter(redact(_SEPARATOR.join(texts), values).split(_SEPARATOR))
    for one in found.parsed:
        one.attributes = {next(hidden): next(hidden) for _ in range(len(one.attributes))}


def _forms(value: str) -> set[str]:
    escaped = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    return {value, *escaped, quote(value, safe=""), quote_plus(value)}


def table(found: Sequence[Rows]) -> pa.Table:
    """Rows of several sources as the store takes them."""
    columns: dict[str, list[Any]] = {name: [] for name in SCHEMAS["logs"].names}
    for one in found:
        many = len(one.parsed)
        for name in ("service", "environment", "version", "instance", "source"):
            columns[name] += [getattr(one.source, name)] * many
        columns["ts"] += one.moments
        columns["severity"] += [line.severity for line in one.parsed]
        columns["body"] += [line.body for line in one.parsed]
        columns["attributes"] += [_pairs(line) for line in one.parsed]
        columns["trace_id"] += [line.trace_id for line in one.parsed]
        columns["span_id"] += [line.span_id for line in one.parsed]
    schema = SCHEMAS["logs"]
    arrays = [pa.array(columns[name], flat_type(schema.field(name).type)) for name in schema.names]
    return pa.table(arrays, names=schema.names).cast(schema)


def flat_type(kind: pa.DataType) -> pa.DataType:
    """The type that a column is made in before it is stored by its distinct values."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _pairs(line: Parsed) -> list[tuple[str, str]]:
    # A lone surrogate, which JSON can write, is no text.
    return [
        (name, value[:VALUE_MAX].encode(errors="replace").decode())
        for name, value in line.attributes.items()
    ]
