"""A tree of values held against a section: the section, or a sentence per mistake."""

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeVar, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

from steerway.platform.descriptor import hints, schema, sentences
from steerway.platform.descriptor.nodes import Mapping, Mark, plain, quoted
from steerway.platform.descriptor.places import Found, locate, pointed, shown, significant
from steerway.platform.descriptor.problems import PROBLEMS_MAX, Problem, problem
from steerway.platform.descriptor.section import Section

S = TypeVar("S", bound=Section)

_WORD = re.compile(r"[\w-]+")
_OWN_WORDS: Final = frozenset({"value_error", "assertion_error"})
_TAGS: Final = frozenset({"union_tag_invalid", "union_tag_not_found"})


@dataclass(frozen=True, slots=True)
class Mistake:
    """A problem, and whether it may disappear when environments are merged in."""

    problem: Problem
    path: tuple[str | int, ...]
    is_of_whole: bool  # a key is missing, or values do not fit together


def validate(model: type[S], root: Mapping, file: str) -> tuple[S | None, list[Mistake]]:
    """The section, or its topmost mistakes, one more than are told.

    Nothing is converted: "2" is not 2 and `no` is not false.
    """
    try:
        return model.model_validate_json(json.dumps(plain(root)), strict=True), []
    except ValidationError as refusal:
        errors = refusal.errors(include_url=False)
    found = significant(locate(root, error) for error in errors)
    found.sort(key=lambda one: (one.at.line, one.at.column))
    return None, [_mistake(model, root, file, one) for one in found[: PROBLEMS_MAX + 1]]


def _mistake(model: type[Section], root: Mapping, file: str, found: Found) -> Mistake:
    message, hint = _words(schema.described(model), found)
    of_whole = isinstance(found.node, Mapping) and found.error["type"] in {"missing", *_OWN_WORDS}
    if found.error["type"] in _OWN_WORDS:
        found = pointed(found, _WORD.findall(message))
    return Mistake(
        problem(file, _mark(found), shown(root, found.path, found.origin), message, hint),
        found.path,
        is_of_whole=of_whole,
    )


def _mark(found: Found) -> Mark:
    at_key = found.of_key or found.error["type"] == "extra_forbidden"
    return found.key_at if at_key else found.at


def _words(root: schema.Schema, found: Found) -> tuple[str, str]:
    """The sentence and the hint."""
    kind = found.error["type"]
    rule = schema.at(root, found.path) or {}
    if kind == "extra_forbidden":
        return "there is no such key", hints.for_key(root, found.path)
    if kind == "missing":
        what = sentences.expected(root, rule).removesuffix(",")
        return f"this key is required: {what}", _first_sentence(str(rule.get("description", "")))
    if found.of_key:
        return _key_words(root, found)
    if kind in _OWN_WORDS or kind not in _known():
        own = _own(found.error)
        if own:
            return own, ""
    if kind in _TAGS:
        return _tag_words(found.error), ""
    expected = sentences.expected(root, rule, found.node)
    got = sentences.got(found.node, found.path)
    hint = "" if sentences.is_hidden(found.path) else hints.for_value(root, rule, found.node)
    return f"{expected.removesuffix(',')} is expected, got {got}", hint


def _tag_words(error: ErrorDetails) -> str:
    """The key that says which alternative is meant is missing, or says none of them."""
    context = error.get("ctx", {})
    key = str(context.get("discriminator", "")).strip("'")
    if error["type"] == "union_tag_not_found":
        return f"the key {key} is required here"
    tags = [quoted(tag) for tag in re.findall(r"'([^']*)'", str(context.get("expected_tags", "")))]
    return f"{key} must be {sentences.either(tags)}"


def _key_words(root: schema.Schema, found: Found) -> tuple[str, str]:
    """A key with a free name is not written as it must be."""
    above = schema.at(root, found.path[:-1]) or {}
    names: dict[str, object] = {"type": "string"}
    for branch in schema.branches(root, above):
        names |= branch.get("propertyNames", {})
    expected = sentences.expected(root, names).removesuffix(",")
    return f"{expected} is expected as the key", ""


def _own(error: ErrorDetails) -> str:
    """What a validator of ours says; nothing where it only names what it expected."""
    if error["type"] == "expected":
        return ""
    return str(error.get("ctx", {}).get("error", error["msg"])).strip().removesuffix(".")


@cache
def _known() -> frozenset[str]:
    return frozenset(get_args(ErrorType))


def _first_sentence(text: str) -> str:
    head, _, _ = text.replace("\n", " ").partition(". ")
    return head.strip().removesuffix(".")
