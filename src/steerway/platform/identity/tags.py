"""Template filters of the sign-in pages. `{% load identity %}`."""

import json
from typing import Final

from django import template
from django.forms.boundfield import BoundField

register = template.Library()

# In this order: each names itself as those after it as well.
BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
)
SYSTEMS: Final = ("iPhone", "iPad", "Android", "Windows", "Mac OS X", "CrOS", "Linux")
PROGRAM_LENGTH_MAX: Final = 60


@register.filter
def as_json(value: object) -> str:
    """The value as JSON, for an attribute that a script reads; the template escapes it."""
    return json.dumps(value)


@register.filter
def unhinted(field: BoundField) -> BoundField:
    """A field without the hint inside that says its label once more."""
    field.field.widget.attrs.pop("placeholder", None)
    return field


@register.filter
def program(agent: str) -> str:
    """What people call the program that a user agent names: `Firefox on Linux`."""
    named = next((name for mark, name in BROWSERS if f"{mark}/" in agent), "")
    system = next((name for name in SYSTEMS if name in agent), "")
    if not named:
        return agent[:PROGRAM_LENGTH_MAX] or "An unknown program"
    return f"{named} on {system}" if system else named
