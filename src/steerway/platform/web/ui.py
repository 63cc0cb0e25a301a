"""Template tags: the parts that every page is made of. `{% load ui %}`."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from django import template
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from steerway.platform import clock
from steerway.platform.web import events, ranges, words

register = template.Library()

STATIC: Final = Path(__file__).parent / "static"
# Actors that are not people.
SYSTEM: Final = frozenset({"steerway", "system", ""})
VERSION_CHARACTERS: Final = 10
ASSETS_MAX: Final = 64

register.filter("sentence", words.sentence)
register.filter("tone", words.tone)
register.filter("duration", words.duration)
register.filter("bytes", words.bytes_text)
register.filter("amount", words.amount)
register.filter("share", words.share)
register.filter("milliseconds", words.milliseconds)
register.filter("span", words.span_text)
register.filter("per_second", words.per_second)
register.filter("add_to", lambda value, more: value + more)
register.filter("cores", words.cores)
register.filter("short", words.short_digest)
register.filter("diff_lines", words.diff_lines)
register.filter("face", events.face)
register.filter("subject_url", events.subject_url)
register.filter("service_url", events.service_url)


@lru_cache(maxsize=ASSETS_MAX)
def _digest(file: Path, changed_ns: int) -> str:
    return sha256(file.read_bytes()).hexdigest()[:VERSION_CHARACTERS]


@register.simple_tag
def asset(path: str) -> str:
    """The address of a static file, with a version that changes when its content does."""
    # Template literals are a kind of str that pathlib of Python 3.11 cannot intern.
    file = Path(f"{STATIC}/{path}")
    version = _digest(file, file.stat().st_mtime_ns) if file.is_file() else "0"
    return f"{static(path)}?v={version}"


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """A picture from the sprite. It says nothing to screen readers: put words beside it."""
    return format_html(
        '<svg class="i{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        f" {size}" if size else "",
        asset("icons.svg"),
        name,
    )


@register.simple_tag
def badge(state: object, label: str = "") -> SafeString:
    """A state as a pill. What is not known is hatched, never green."""
    value = _value(state)
    return format_html(
        '<span class="pill {}{}">{}</span>',
        words.tone(value),
        " moves" if value in words.MOVING else "",
        label or words.sentence(value),
    )


@register.simple_tag
def spot(state: object, label: str = "") -> SafeString:
    """A state as a dot, for dense places; its words are there for screen readers."""
    value = _value(state)
    text = label or words.sentence(value)
    return format_html(
        '<span class="spot {}" title="{}"></span><span class="vh">{}</span>',
        words.tone(value),
        text,
        text,
    )


@register.simple_tag
def spot_of(tone: str) -> SafeString:
    """A dot of a tone beside a number that says the same."""
    return format_html('<span class="spot {}" aria-hidden="true"></span>', tone)


@register.simple_tag(takes_context=True)
def moment(context: Mapping[str, Any], at: datetime | None, style: str = "age") -> SafeString:
    """A moment: its age with the full time in the title; `style` also takes `time` and `full`."""
    if at is None:
        return format_html('<span class="quiet">{}</span>', "never")
    utc = at.astimezone(UTC)
    full = utc.strftime("%Y-%m-%d %H:%M:%S UTC")
    texts = {"time": utc.strftime("%H:%M"), "clock": utc.strftime("%H:%M:%S"), "full": full}
    return format_html(
        '<time datetime="{}" title="{}"{}>{}</time>',
        utc.isoformat().replace("+00:00", "Z"),
        full,
        "" if style in texts else SafeString(" data-age"),
        texts.get(style) or words.age(utc, context.get("now") or clock.now()),
    )


@register.simple_tag(takes_context=True)
def running_time(
    context: Mapping[str, Any], since: datetime | None, until: datetime | None = None
) -> SafeString | str:
    """How long something took; a clock that runs on while it has not ended."""
    if since is None:
        return words.NOTHING
    if until is not None:
        return words.duration(until - since)
    now = context.get("now") or clock.now()
    return format_html(
        '<time data-since="{}">{}</time>',
        since.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        words.duration(timedelta(seconds=int((now - since).total_seconds()))),
    )


@register.simple_tag
def digest(value: str | None, what: str = "digest") -> SafeString:
    """A digest or commit, short, with a button that copies all of it."""
    if not value:
        return format_html('<span class="quiet">{}</span>', words.NOTHING)
    return format_html(
        '<span class="digest"><code title="{}">{}</code>{}</span>',
        value,
        words.short_digest(value),
        copier(value, what),
    )


@register.simple_tag
def copier(value: str, what: str = "text") -> SafeString:
    """A button that copies `value`."""
    return format_html(
        '<button class="copy" type="button" data-copy="{}" aria-label="Copy {} {}">{}</button>',
        value,
        what,
        words.short_digest(value) if what in {"digest", "commit", "hash"} else value,
        icon("copy"),
    )


@register.simple_tag
def command(text: str) -> SafeString:
    """A command to type, with a button that copies it."""
    return format_html('<code class="command">{} {}</code>', text, copier(text, "command"))


@register.simple_tag
def querystring_range(request: HttpRequest, since: str) -> str:
    """The query of this page with another range."""
    query = request.GET.copy()
    for name in ranges.NAMES:
        query.pop(name, None)
    query["since"] = since
    return query.urlencode()


@register.simple_tag
def avatar(name: str, size: str = "") -> SafeString:
    """A person's initials in their colour; Steerway itself has a plain one."""
    kind = "system" if name in SYSTEM else f"h{words.hue(name)}"
    return format_html(
        '<span class="avatar {}{}" aria-hidden="true">{}</span>',
        kind,
        f" {size}" if size else "",
        "S" if name in SYSTEM else words.initials(name),
    )


@register.simple_tag
def by(name: str) -> SafeString:
    """Who did it: the picture and the name."""
    return format_html('<span class="by">{}{}</span>', avatar(name, "s"), name or "steerway")


@register.filter
def choices(text: str) -> list[tuple[str, str]]:
    """The options of a select, from `value=Words,value=Words`."""
    pairs = (part.partition("=") for part in text.split(","))
    return [(value, label) for value, _, label in pairs]


@register.filter
def last_part(name: str) -> str:
    """The last of the parts of a dotted name."""
    return name.rpartition(".")[2]


@register.filter
def base_name(path: str) -> str:
    """The last part of a path."""
    return path.rpartition("/")[2]


@register.filter
def is_plain(value: object) -> bool:
    """Whether a value is shown as it is, not as a structure."""
    return not isinstance(value, dict | list)


@register.filter("json")
def json_text(value: object) -> str:
    """A structure for people to read."""
    return json.dumps(value, indent=2, ensure_ascii=False)


@register.filter
def may(actor: Any, permission: str) -> bool:
    """Whether the actor may do this: `{% if actor|may:"deployments.start" %}`."""
    return bool(actor) and actor.may(permission)


def _value(state: object) -> str:
    return str(getattr(state, "value", state) or "unknown")
