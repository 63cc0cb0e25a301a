"""JSON Schema of a descriptor: for editors, and for the words of an error."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import CoreSchema, SchemaError, SchemaSerializer, core_schema

from steerway.platform.descriptor.nodes import Path
from steerway.platform.descriptor.section import Section

DIALECT: Final = GenerateJsonSchema.schema_dialect  # 2020-12
Schema = Mapping[str, Any]


class _Generator(GenerateJsonSchema):
    """Defaults as they are written in the file ("30s", not "PT30S"); free keys by their pattern."""

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        found = super().dict_schema(schema)
        return found | {"additionalProperties": False} if "patternProperties" in found else found

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        found = super().default_schema(schema)
        if "default" in found and "default" in schema:
            with suppress(SchemaError):  # it refers to a section, whose values are written already
                written = SchemaSerializer(schema["schema"])
                found["default"] = written.to_python(schema["default"], mode="json")
        return found


@dataclass(frozen=True, slots=True)
class Overrides:
    """Annotation of a mapping that replaces parts of a section: no key required, null removes.

    What is in it is validated after the merge, as the section itself.
    """

    section: type[Section]

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Any mapping."""
        return core_schema.dict_schema(core_schema.str_schema(), core_schema.any_schema())

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The section's own, with every key optional."""
        return _optional(_inlined(described(self.section)))


@cache
def described(model: type[BaseModel]) -> dict[str, Any]:
    """The schema with the words for errors still in it. Read only."""
    return model.model_json_schema(schema_generator=_Generator)


def published(model: type[BaseModel], *, name: str, title: str) -> dict[str, Any]:
    """The schema that editors and other validators use. `name` is its relative `$id`."""
    cleaned = _cleaned(described(model))
    return {"$schema": DIALECT, "$id": name, **cleaned, "title": title}


def at(root: Schema, path: Path) -> Schema | None:
    """The part of the schema that rules the value at `path`; None where no key is allowed."""
    found: Schema | None = root
    for segment in path:
        if found is None:
            return None
        steps = (step(root, branch, segment) for branch in branches(root, found))
        found = next((schema for schema in steps if schema is not None), None)
    return found


def step(root: Schema, schema: Schema, segment: str | int) -> Schema | None:
    """The schema one level down."""
    if isinstance(segment, int):
        prefix = schema.get("prefixItems", [])
        found = prefix[segment] if segment < len(prefix) else schema.get("items")
    else:
        found = schema.get("properties", {}).get(segment) or _free_key(schema)
    return resolved(root, found) if isinstance(found, dict) else None


def _free_key(schema: Schema) -> object:
    patterns = schema.get("patternProperties", {})
    return next(iter(patterns.values()), schema.get("additionalProperties"))


def branches(root: Schema, schema: Schema) -> Iterator[Schema]:
    """The alternatives of a value, references followed; itself where it has none."""
    schema = resolved(root, schema)
    alternatives = schema.get("anyOf") or schema.get("oneOf")
    if not alternatives:
        yield schema
        return
    for alternative in alternatives:
        yield from branches(root, alternative)


def resolved(root: Schema, schema: Schema) -> Schema:
    """The schema a `$ref` points to, with what stands beside the reference."""
    while "$ref" in schema:
        target = root["$defs"][schema["$ref"].rpartition("/")[2]]
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**target, **beside}
    return schema


def keys(root: Schema, schema: Schema) -> list[str]:
    """The keys a mapping may have, in the order of the documentation."""
    return [key for branch in branches(root, schema) for key in branch.get("properties", {})]


def paths(root: Schema, schema: Schema, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every key with a fixed name."""
    for branch in branches(root, schema):
        for key, below in branch.get("properties", {}).items():
            yield (*above, key)
            yield from paths(root, below, (*above, key))


def _inlined(root: Schema) -> dict[str, Any]:
    """The same schema without references; sections do not contain themselves."""

    def inline(value: Any) -> Any:
        if isinstance(value, list):
            return [inline(item) for item in value]
        if not isinstance(value, dict):
            return value
        whole = resolved(root, value)
        return {key: inline(item) for key, item in whole.items() if key != "$defs"}

    return dict(inline(root))


def _optional(schema: dict[str, Any]) -> dict[str, Any]:
    """Every key may be absent, or null to remove what the service says."""
    if "properties" not in schema:
        return _nullable_values(schema)
    properties = {
        key: {"anyOf": [_optional(below), {"type": "null"}]}
        for key, below in schema["properties"].items()
    }
    kept = {key: value for key, value in schema.items() if key not in {"required", "default"}}
    return {**kept, "properties": properties}


def _nullable_values(schema: dict[str, Any]) -> dict[str, Any]:
    """The same for the values of a mapping with free keys."""
    relaxed = {key: value for key, value in schema.items() if key != "default"}
    for place in ("anyOf", "oneOf"):
        if place in relaxed:
            relaxed[place] = [_optional(branch) for branch in relaxed[place]]
    if isinstance(relaxed.get("additionalProperties"), dict):
        values = relaxed["additionalProperties"]
        relaxed["additionalProperties"] = {"anyOf": [values, {"type": "null"}]}
    if "patternProperties" in relaxed:
        relaxed["patternProperties"] = {
            pattern: {"anyOf": [values, {"type": "null"}]}
            for pattern, values in relaxed["patternProperties"].items()
        }
    return relaxed


def _cleaned(value: Any, *, named: bool = False) -> Any:
    """Without our own words, and without the titles Pydantic makes of the keys.

    Below `properties` the keys are names of the user, which may well be "title".
    """
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if not isinstance(value, dict):
        return deepcopy(value)
    return {
        key: _cleaned(item, named=not named and key in {"properties", "$defs", "patternProperties"})
        for key, item in value.items()
        if named or (key != "title" and not key.startswith("x-"))
    }
