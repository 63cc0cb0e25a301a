"""What is expected and what was found, in words: from the JSON Schema and the value."""

from collections.abc import Sequence
from typing import Any, Final

from steerway.platform.descriptor import schema as schemas
from steerway.platform.descriptor.nodes import (
    TEXT_SHOWN_MAX,
    Items,
    Mapping,
    Node,
    Path,
    Scalar,
    quoted,
)
from steerway.platform.descriptor.schema import Schema
from steerway.platform.descriptor.section import EXPECTED
from steerway.platform.descriptor.sensitive import is_sensitive

_KINDS: Final = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}


def expected(root: Schema, schema: Schema, node: Node | None = None) -> str:
    """What a value must be, such as `a whole number from 1 to 100`.

    Of what `node` fulfils, its kind for example, only the rest is said.
    """
    whole = schemas.resolved(root, schema)
    if EXPECTED in whole:
        return str(whole[EXPECTED])
    alternatives = [
        branch for branch in schemas.branches(root, whole) if branch.get("type") != "null"
    ]
    choices = [choice for branch in alternatives for choice in _choices(branch)]
    kinds = [_kind(branch, node) for branch in alternatives if not _choices(branch)]
    words = [quoted(c) if isinstance(c, str) else str(c) for c in choices] + kinds
    return either(list(dict.fromkeys(words)))


def choices(root: Schema, schema: Schema) -> list[str]:
    """The texts that a value may be, where there are only so many."""
    found = (_choices(branch) for branch in schemas.branches(root, schema))
    return [choice for branch in found for choice in branch if isinstance(choice, str)]


def got(node: Node, path: Path) -> str:
    """The value that was found, short; a value that may be a secret is not repeated."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Items):
        return f"a list of {len(node.items)}" if node.items else "an empty list"
    if node.value is None:
        return "nothing"
    if is_hidden(path):
        return "something else"
    if isinstance(node.value, str):
        length = f" ({len(node.text)} characters)" if len(node.text) > TEXT_SHOWN_MAX else ""
        return quoted(node.text) + length
    return node.text


def is_hidden(path: Path) -> bool:
    """Whether the value at `path` may be a secret."""
    return any(isinstance(segment, str) and is_sensitive(segment) for segment in path)


def either(words: Sequence[str]) -> str:
    """The words as one alternative: `a, b or c`."""
    if len(words) <= 1:
        return words[0] if words else "nothing"
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _choices(schema: Schema) -> list[Any]:
    return [schema["const"]] if "const" in schema else list(schema.get("enum", []))


def _kind(schema: Schema, node: Node | None) -> str:
    if EXPECTED in schema:
        return str(schema[EXPECTED]).removesuffix(",")
    kind = str(schema.get("type", ""))
    words = _KINDS.get(kind, "another value")
    if kind in {"integer", "number"}:
        return words + _bounds(schema)
    if kind == "array" and isinstance(node, Items):
        return words + _count(schema, "minItems", "maxItems", "item")
    if kind == "object" and isinstance(node, Mapping):
        return words + _count(schema, "minProperties", "maxProperties", "key")
    if kind == "string" and isinstance(node, Scalar) and isinstance(node.value, str):
        return words + _text_rule(schema, node.value)
    return words


def _text_rule(schema: Schema, text: str) -> str:
    length_max = schema.get("maxLength", len(text))
    if not schema.get("minLength", 0) <= len(text) <= length_max or "pattern" not in schema:
        return _count(schema, "minLength", "maxLength", "character")
    return f" that matches {schema['pattern']}"


def _bounds(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    words = []
    if low is not None and high is not None:
        return f" from {_number(low)} to {_number(high)}"
    words += [f"of at least {_number(low)}"] if low is not None else []
    words += [f"above {_number(above)}"] if above is not None else []
    words += [f"up to {_number(high)}"] if high is not None else []
    words += [f"below {_number(below)}"] if below is not None else []
    return f" {' and '.join(words)}" if words else ""


def _count(schema: Schema, low_key: str, high_key: str, noun: str) -> str:
    low, high = schema.get(low_key, 0), schema.get(high_key)
    if low and high:
        return f" of {low} to {high} {noun}s"
    if high is not None:
        return f" of at most {high} {noun}s"
    if low:
        return f" of at least {low} {noun}{'s' if low > 1 else ''}"
    return ""


def _number(value: float) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
