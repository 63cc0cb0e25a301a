"""Evaluation over HTTP: what is asked, and what is answered.

Source: OpenFeature Remote Evaluation Protocol (OFREP) 0.2, openapi.yaml.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from steerway.delivery.variants.rules.flagsets import ErrorCode, Flag, FlagSet, Outcome, Reason

PREFIX: Final = "/ofrep/v1/evaluate/flags"
BODY_BYTES_MAX: Final = 65_536
USER: Final = "targetingKey"


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and what is said with it."""

    status: int
    body: Mapping[str, Any]

    @property
    def content(self) -> bytes:
        """The body as it is sent."""
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode(
            "utf-8", "replace"
        )

    @property
    def etag(self) -> str:
        """What a client that has this answer sends to hear that it is still so."""
        return f'"{hashlib.sha256(self.content).hexdigest()[:32]}"'


class Refused(Exception):
    """A request that cannot be answered: an OFREP error code, and a sentence."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def context_of(body: bytes) -> dict[str, Any]:
    """The context in a request's body; an empty body has an empty one.

    Raises:
        Refused: it is no JSON object, or its context is none.
    """
    try:
        whole = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError) as error:
        raise Refused("PARSE_ERROR", "The body is not JSON that can be read.") from error
    if not isinstance(whole, dict):
        raise Refused("PARSE_ERROR", "The body is a JSON object with a context.")
    context = whole.get("context", {})
    if not isinstance(context, dict):
        raise Refused("INVALID_CONTEXT", "The context is a JSON object.")
    if not isinstance(context.get(USER, ""), str):
        raise Refused("INVALID_CONTEXT", "The targetingKey of a context is text.")
    return context


def refusal(error: Refused, key: str = "") -> Answer:
    """The answer to a request that cannot be answered."""
    named = {"key": key} if key else {}
    return Answer(400, {**named, "errorCode": error.code, "errorDetails": str(error)})


def one(flags: FlagSet, key: str, context: dict[str, Any]) -> Answer:
    """The answer for one flag."""
    said = _said(flags.flags.get(key), key, flags.evaluate(key, context), context)
    code = said.get("errorCode")
    return Answer(404 if code == ErrorCode.FLAG_NOT_FOUND else 400 if code else 200, said)


def every(flags: FlagSet, context: dict[str, Any]) -> Answer:
    """The answer for all flags of a set; one that fails says so in its own entry."""
    said = [
        _said(flag, key, flags.evaluate(key, context), context) for key, flag in flags.flags.items()
    ]
    return Answer(200, {"flags": said, "metadata": dict(flags.metadata)})


def _said(
    flag: Flag | None, key: str, outcome: Outcome, context: Mapping[str, Any]
) -> dict[str, Any]:
    if outcome.error is not None:
        return {"key": key, "errorCode": outcome.error.value, "errorDetails": outcome.message}
    if outcome.reason is Reason.DEFAULT and flag and flag.by_user and not context.get(USER):
        text = f"The flag {key} is shared out among users, and the context names none."
        return {"key": key, "errorCode": "TARGETING_KEY_MISSING", "errorDetails": text}
    # Stock clients look for a variant also where there is none, which is said by no value.
    found: dict[str, Any] = {"key": key, "reason": outcome.reason.value, "variant": ""}
    if outcome.variant is not None:
        found |= {"variant": outcome.variant, "value": outcome.value}
    return found | {"metadata": dict(outcome.metadata)}
