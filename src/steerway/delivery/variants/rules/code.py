"""A compiled piece of a rule."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from steerway.delivery.variants.rules.values import Json

Closure = Callable[[Any], Json]

UNKNOWN: Final = object()


@dataclass(frozen=True, slots=True)
class Code:
    """A compiled piece of a rule: how to run it, and what is known of it without running."""

    run: Closure
    constant: Json = UNKNOWN
    name: str = ""  # of the one field of the context that it reads

    @property
    def is_constant(self) -> bool:
        """Whether it gives the same value for every context."""
        return self.constant is not UNKNOWN


def constant(value: Json) -> Code:
    """A value as code."""
    return Code(lambda _: value, constant=value)
