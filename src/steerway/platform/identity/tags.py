"""Template filter of the sign-in pages. `{% load identity %}`."""

import json

from django import template

register = template.Library()


@register.filter
def as_json(value: object) -> str:
    """The value as JSON, for an attribute that a script reads; the template escapes it."""
    return json.dumps(value)
