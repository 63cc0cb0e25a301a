"""What a section of a descriptor is made of: the base class and the types of its values.

A bounded value is written `Annotated[timedelta, DurationBetween("1s", "10m")]` or
`Annotated[int, SizeBetween("16MB", "64GB")]`; `Duration` and `Size` are the widest of each.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

EXPECTED: Final = "x-expected"  # how a value is called in an error; not in the published schema

DURATION_PATTERN: Final = r"^(0|[1-9][0-9]{0,9})(ms|s|m|h|d)$"
SIZE_PATTERN: Final = r"^(0|[1-9][0-9]{0,14})(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)$"
MODE_PATTERN: Final = r"^0?[0-7]{3}$"
NAME_PATTERN: Final = r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"

_DURATION = re.compile(DURATION_PATTERN)
_DURATION_UNITS: Final = {  # the largest first: the canonical form takes the first that divides
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_SIZE = re.compile(SIZE_PATTERN)
_SIZE_UNITS: Final = {
    "TiB": 2**40,
    "TB": 10**12,
    "GiB": 2**30,
    "GB": 10**9,
    "MiB": 2**20,
    "MB": 10**6,
    "KiB": 2**10,
    "kB": 10**3,
    "B": 1,
}
_MODE = re.compile(MODE_PATTERN)


class Section(BaseModel):
    """One part of a descriptor: unknown keys are errors, values never change.

    A validator raises `ValueError("a whole sentence without the path and the full stop")`.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        validate_default=False,
        allow_inf_nan=False,
    )

    @classmethod
    def stored(cls, value: Mapping[str, Any]) -> Self:
        """The section that `.model_dump(mode="json")` was once taken of."""
        return cls.model_validate_json(json.dumps(value), strict=True)


def duration(text: str) -> timedelta:
    """The length of time that `text` ("500ms", "30s", "10m", "2h", "7d") says.

    Raises:
        ValueError: it is not written that way.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration")
    try:
        return int(match[1]) * _DURATION_UNITS[match[2]]
    except OverflowError:
        raise ValueError(f"{text!r} is too long") from None


def duration_text(value: timedelta) -> str:
    """The shortest way to write `value`: 90 seconds are "90s", 120 are "2m"."""
    if not value:
        return "0s"
    unit = next((u for u, one in _DURATION_UNITS.items() if not value % one), "ms")
    return f"{value // _DURATION_UNITS[unit]}{unit}"


def size(text: str) -> int:
    """The bytes that `text` ("256MB" is 256 million, "1GiB" is 1024³) says.

    Raises:
        ValueError: it is not written that way.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a size")
    return int(match[1]) * _SIZE_UNITS[match[2]]


def size_text(value: int) -> str:
    """The shortest exact way to write `value` bytes."""
    exact = [f"{value // one}{unit}" for unit, one in _SIZE_UNITS.items() if not value % one]
    return min(exact, key=len) if value else "0B"


@dataclass(frozen=True, slots=True)
class DurationBetween:
    """A `timedelta` written as "500ms", "30s", "10m", "2h" or "7d", within bounds."""

    lowest: str
    highest: str

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Text from a file; in Python also a timedelta."""
        bounds = duration(self.lowest), duration(self.highest)
        return _schema(_Reader(duration, timedelta, bounds, self.expected), duration_text)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The form; bounds cannot be said in JSON Schema, so `description` should."""
        return {"type": "string", "pattern": DURATION_PATTERN, EXPECTED: self.expected}

    @property
    def expected(self) -> str:
        """What to call it in an error."""
        return f'a duration from {self.lowest} to {self.highest}, such as "500ms", "30s" or "10m",'


@dataclass(frozen=True, slots=True)
class SizeBetween:
    """A number of bytes written as "256MB" or "1GiB", within bounds."""

    lowest: str
    highest: str

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Text from a file; in Python also a number of bytes."""
        bounds = size(self.lowest), size(self.highest)
        return _schema(_Reader(size, int, bounds, self.expected), size_text)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The form; bounds cannot be said in JSON Schema, so `description` should."""
        return {"type": "string", "pattern": SIZE_PATTERN, EXPECTED: self.expected}

    @property
    def expected(self) -> str:
        """What to call it in an error."""
        return f'a size from {self.lowest} to {self.highest}, such as "256MB" or "1GiB",'


@dataclass(frozen=True, slots=True)
class FileMode:
    """Permission bits written as "0700": an `int` that `chmod` takes."""

    expected: str = 'a file mode in octal digits, such as "0700",'

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Text from a file; in Python also the bits."""
        reader = _Reader(_mode, int, (0, 0o777), self.expected, digits=True)
        return _schema(reader, lambda bits: f"{bits:04o}")

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Text; also what an editor makes of 0700 without quotes, which we read as text."""
        form = {"type": "string", "pattern": MODE_PATTERN}
        number = {"type": "integer", "minimum": 0, "maximum": 777}
        return {"anyOf": [form, number], EXPECTED: self.expected}


Duration = Annotated[timedelta, DurationBetween("0s", "30d")]
Size = Annotated[int, SizeBetween("0B", "999TB")]
Mode = Annotated[int, FileMode()]
Percent = Annotated[
    float, Field(ge=0, le=100, json_schema_extra={EXPECTED: "a percentage from 0 to 100"})
]
Name = Annotated[
    str,
    Field(
        pattern=NAME_PATTERN,
        json_schema_extra={
            EXPECTED: "a name of 1 to 40 lowercase letters, digits and inner hyphens, "
            "starting with a letter,"
        },
    ),
]
VariableName = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$",
        json_schema_extra={
            EXPECTED: "a name of letters, digits and underscores, not starting with a digit,"
        },
    ),
]


def _mode(text: str) -> int:
    if not _MODE.fullmatch(text):
        raise ValueError(f"{text!r} is not a file mode")
    return int(text, 8)


@dataclass(frozen=True, slots=True)
class _Reader:
    """The validator: parse text, let a ready value pass, hold both to the bounds."""

    parse: Callable[[str], Any]
    kind: type
    bounds: tuple[Any, Any]
    expected: str
    digits: bool = False  # JSON numbers are taken as the digits they are written with

    def read(self, value: object) -> Any:
        """The value, or the error that says what was expected."""
        if isinstance(value, str):
            value = self.parsed(value)
        if not isinstance(value, self.kind) or isinstance(value, bool):
            raise self.problem()
        if not self.bounds[0] <= value <= self.bounds[1]:
            raise self.problem()
        return value

    def read_json(self, value: object) -> Any:
        """From JSON only text is taken, so that a number without a unit is refused."""
        if self.digits and isinstance(value, int):
            value = str(value)
        return self.read(value if isinstance(value, str) else None)

    def parsed(self, text: str) -> object:
        try:
            return self.parse(text)
        except ValueError:
            raise self.problem() from None

    def problem(self) -> PydanticCustomError:
        expected = self.expected.removesuffix(",")
        return PydanticCustomError("expected", "{expected} is expected", {"expected": expected})


def _schema(reader: _Reader, write: Callable[[Any], str]) -> core_schema.JsonOrPythonSchema:
    plain = core_schema.no_info_plain_validator_function
    return core_schema.json_or_python_schema(
        json_schema=plain(reader.read_json),
        python_schema=plain(reader.read),
        serialization=core_schema.plain_serializer_function_ser_schema(write, when_used="json"),
    )
