"""How an entry of the log reads on a page: a picture, a tone, a few words and where it leads."""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from django.urls import NoReverseMatch, reverse

from steerway.platform.log.models import Event

ICONS: Final = {
    "deployment": "deployments",
    "change": "changes",
    "hold": "hold",
    "freeze": "freeze",
    "service": "services",
    "release": "releases",
    "replica": "pulse",
    "router": "route",
    "supervisor": "pulse",
    "secret": "secret",
    "token": "key",
    "person": "people",
    "user": "people",
    "log": "log",
}
# The end of a type says how it went; what is not listed is neither good nor bad.
TONES: Final = (
    (r"(failed|crash|crashed|crash-loop|died|lost|refused|unhealthy|exhausted)$", "bad"),
    (r"(succeeded|implemented|recovered|resumed|lifted|restarted|healthy|thawed)$", "good"),
    (r"(paused|placed|cancelled|cancel-requested|removed|revoked|drifted|held)$", "warn"),
    (r"(requested|opened|applied|started|created|switched|switch-done)$", "info"),
)
# What is worth a second line, the first that is there.
DETAILS: Final = ("error", "outcome", "summary", "reason", "note", "why", "ref")
DETAIL_LENGTH_MAX: Final = 160
ROUTES: Final = {
    "DEP": "deployments:detail",
    "CHG": "changes:detail",
}


@dataclass(frozen=True, slots=True)
class Face:
    """An entry as a page shows it."""

    icon: str
    tone: str
    words: str
    detail: str
    url: str


def face(event: Event) -> Face:
    """How `event` looks."""
    noun, _, verb = event.type.partition(".")
    return Face(
        icon=ICONS.get(noun, "info"),
        tone=next((tone for end, tone in TONES if re.search(end, event.type)), "idle"),
        words=f"{noun.replace('-', ' ')} {verb.replace('-', ' ')}".strip(),
        detail=_detail(data_of(event)),
        url=subject_url(event.subject) or service_url(event.service),
    )


def data_of(event: Event) -> dict[str, Any]:
    """What the entry says beyond its columns."""
    found = json.loads(event.data)
    return found if isinstance(found, dict) else {}


def subject_url(subject: str) -> str:
    """The page of the thing an entry is about; empty when it has none."""
    route = ROUTES.get(subject.partition("-")[0])
    return _reverse(route, subject) if route else ""


def service_url(service: str) -> str:
    """The page of a service; empty when there is none."""
    return _reverse("services:detail", service) if service else ""


def _detail(data: dict[str, Any]) -> str:
    text = next((str(data[key]) for key in DETAILS if data.get(key)), "")
    first = text.strip().partition("\n")[0]
    return first if len(first) <= DETAIL_LENGTH_MAX else first[: DETAIL_LENGTH_MAX - 1] + "…"


def _reverse(route: str, name: str) -> str:
    try:
        return reverse(route, args=[name])
    except NoReverseMatch:
        return ""
