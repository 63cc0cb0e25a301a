"""The page of the reference about descriptors, from their JSON Schema."""

from collections.abc import Container, Iterator, Mapping
from typing import Any, Final

from steerway.app.descriptor import OVERRIDDEN, json_schema
from steerway.app.reference_tables import code, page, table
from steerway.platform.descriptor.section import (
    DURATION_PATTERN,
    MODE_PATTERN,
    NAME_PATTERN,
    SIZE_PATTERN,
)

Schema = Mapping[str, Any]

INTRO: Final = """\
One file, `steerway.yaml`, says what should be true of one service. A key that is not listed here is
an error, and `steerway check` names every error with its line. `steerway schema` prints the JSON
Schema for editors; `steerway explain` shows each value in force and the line it comes from.

A duration is a whole number and a unit: `500ms`, `30s`, `10m`, `2h`, `7d`. A size is a whole number
and a unit: `256MB` is 256 million bytes, `1GiB` is 1024³. A name has small letters, digits and
dashes, starts with a letter, and has at most 40 characters. YAML is read without its surprises:
`no`, `on` and `017` are text, anchors and duplicate keys are errors."""
ENVIRONMENTS: Final = """\
`run`, `route` and `release` of an environment take the keys of the sections above and replace their
values; maps are merged key by key, lists are replaced, and `null` takes a value away."""
MODE: Final = "permissions"  # also taken as the number that an editor makes of 0700
PATTERNS: Final = {
    DURATION_PATTERN: "duration",
    SIZE_PATTERN: "size",
    NAME_PATTERN: "name",
    MODE_PATTERN: MODE,
}


def text() -> str:
    """The page."""
    schema = json_schema()
    definitions: Schema = schema.get("$defs", {})
    top, parts = [], []
    for name, one in schema["properties"].items():
        rows = list(_rows(name, one, definitions, schema["required"]))
        top.append(rows[0])
        if rows[1:]:
            parts += [
                f"## {name}",
                ENVIRONMENTS if name == "environments" else "",
                _table(rows[1:]),
            ]
    return page("Descriptor", INTRO, "## The whole", _table(top), *parts)


def keys() -> list[str]:
    """Every key that a descriptor may have, as `run.health.path`."""
    schema = json_schema()
    definitions: Schema = schema.get("$defs", {})
    return [
        row[0].strip("`")
        for name, one in schema["properties"].items()
        for row in _rows(name, one, definitions)
    ]


def _table(rows: list[tuple[str, ...]]) -> str:
    return table(("key", "type", "default", "what it is"), rows)


def _rows(
    path: str, schema: Schema, definitions: Schema, needed: Container[str] = ()
) -> Iterator[tuple[str, ...]]:
    shape = _resolved(schema, definitions)
    description = schema.get("description") or shape.get("description", "")
    default = "required" if path.rpartition(".")[2] in needed else _default(schema)
    yield code(path), _type(schema, definitions), default, description
    if path.rpartition(".")[2] in OVERRIDDEN and "[]" in path:
        return  # the keys are those of the section of the same name
    inner = _resolved(shape.get("items", {}), definitions) if "items" in shape else shape
    mark = "[]." if inner is not shape else "."
    required = inner.get("required", ())
    for name, one in inner.get("properties", {}).items():
        yield from _rows(f"{path}{mark}{name}", one, definitions, required)


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    for option in (schema, *schema.get("allOf", ()), *schema.get("anyOf", ())):
        if "$ref" in option:
            found: Schema = definitions[option["$ref"].rpartition("/")[2]]
            return found
    return schema


def _type(schema: Schema, definitions: Schema) -> str:
    options = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if options:
        names = [_type(option, definitions) for option in options]
        return MODE if MODE in names else " or ".join(names)
    shape = _resolved(schema, definitions)
    if "enum" in shape:
        return " or ".join(code(value) for value in shape["enum"])
    if "const" in shape:
        return code(shape["const"])
    if shape.get("type") == "array":
        return f"list of {_type(shape.get('items', {}), definitions)}"
    if shape.get("type") == "object":
        return "section" if "properties" in shape else _map(shape, definitions)
    plain = PATTERNS.get(shape.get("pattern", ""), str(shape.get("type", "")))
    return plain + _bounds(shape)


def _map(shape: Schema, definitions: Schema) -> str:
    values = [*shape.get("patternProperties", {}).values()]
    if isinstance(shape.get("additionalProperties"), dict):
        values.append(shape["additionalProperties"])
    return f"map to {_type(values[0], definitions)}" if values else "map"


def _bounds(shape: Schema) -> str:
    if shape.get("type") not in ("integer", "number") or "minimum" not in shape:
        return ""
    return f", {shape['minimum']} to {shape['maximum']}" if "maximum" in shape else ""


def _default(schema: Schema) -> str:
    value = schema.get("default")
    if value in (None, "", [], {}) or isinstance(value, dict | list):
        return ""
    return code(value)
