"""How an entry of the log reads on a page: a picture, a tone, a few words and where it leads."""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from django.urls import NoReverseMatch, reverse

from steerway.platform.log.models import Event

ICONS: Final = {
    "deployment": "deployments",
    "analysis": "deployments",
    "change": "changes",
    "hold": "hold",
    "freeze": "freeze",
    "service": "services",
    "release": "releases",
    "build": "releases",
    "flag": "flag",
    "rollout": "flag",
    "route": "route",
    "server": "pulse",
    "device": "key",
    "replica": "pulse",
    "replicas": "pulse",
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
    (
        r"(failed|rolled-back|worse|crash|crashed|crash-loop|crash-looping|died|lost|refused|unhealthy|exhausted)$",
        "bad",
    ),
    (r"(succeeded|promoted|implemented|recovered|resumed|lifted|healthy|thawed)$", "good"),
    (
        r"(paused|hold.placed|freeze.placed|respawned|restored|restarted|cancelled|cancel-requested|stepped-back|removed|revoked|drifted|held)$",
        "warn",
    ),
    (r"(requested|advanced|opened|applied|started|created|switched|switch-done)$", "info"),
)
# What is worth a second line, the first that is there.
DETAILS: Final = ("error", "outcome", "summary", "reason", "note", "why", "ref", "last_exit")
DETAIL_LENGTH_MAX: Final = 160
# Subjects whose name says what they are.
STEERWAY: Final = "steerway"  # the actor of what nobody has to ask for
SPEAKING: Final = {"DEP", "CHG", "HLD"}
ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PROGRAM: Final = re.compile(r"([a-z0-9-]+)\.[a-z0-9-]+\.[0-9a-f]{8}\.(\d+)")
VERBS: Final = {
    "deployment.preflight-done": "passed its checks",
    "deployment.build-done": "has its release",
    "deployment.install-done": "installed the release",
    "deployment.configure-done": "joined its configuration",
    "deployment.start-done": "started its replicas",
    "deployment.verify-done": "is healthy",
    "deployment.switch-done": "has traffic",
    "deployment.judge-done": "is no worse than what served before",
    "deployment.rolled-back": "was worse and is rolled back",
    "deployment.drain-done": "drained the old replicas",
    "deployment.retire-done": "stopped the old replicas",
    "deployment.cancel-requested": "is being cancelled",
    "analysis.begun": "is compared with what serves",
    "analysis.advanced": "has earned a larger share",
    "analysis.stepped-back": "has a smaller share again",
    "analysis.held": "is held at its share",
    "analysis.paused": "stays at its share for now",
    "analysis.resumed": "may go on",
    "analysis.approved": "may take its step",
    "analysis.promoted": "has earned everything",
    "analysis.worse": "is worse than what serves",
    "analysis.stopped": "is no longer compared",
    "analysis.shadowed": "answered its copies no worse",
    "release.exposed": "reaches users",
    "release.withdrawn": "reaches no user any more",
    "replica.crash-looping": "keeps ending",
    "replica.respawned": "ended and was started again",
    "replica.recovered": "runs steadily again",
    "replica.restored": "was missing and was started",
    "replica.moved": "moved to another port",
    "replicas.placed": "has ports for new replicas",
    "replicas.retired": "has retired replicas",
    "route.pointed": "has its traffic where it should be",
    "route.closed": "answers at no address any more",
    "build.started": "is being built",
    "build.succeeded": "has a finished build",
    "build.failed": "could not be built",
    "build.cancelled": "is no longer being built",
    "change.opened": "was opened",
    "change.implemented": "is made",
    "hold.placed": "holds changes back",
    "hold.lifted": "was lifted",
    "freeze.placed": "freezes all changes",
    "freeze.lifted": "was lifted",
    "release.built": "was built",
    "flag.declared": "is a new flag",
    "flag.redeclared": "has another definition",
    "flag.retired": "is no longer declared",
    "flag.exposed": "reaches another share of users",
    "flag.turned-off": "was turned off for everybody",
    "flag.turned-on": "follows its rules again",
    "flag.restored": "has its definition again",
    "rollout.started": "is being rolled out",
    "rollout.stepped": "took a step of its rollout",
    "rollout.waiting": "waits with its next step",
    "rollout.done": "has ended its rollout",
    "rollout.stopped": "takes no more steps",
    "release.removed": "was removed from disk",
    "router.restarted": "was restarted",
    "router.upgraded": "was upgraded",
    "supervisor.restarted": "was restarted",
    "server.started": "has started",
    "secret.set": "has a new value",
    "secret.removed": "was forgotten",
    "secret.resealed": "were sealed with a new key",
    "service.applied": "has a new descriptor",
    "service.paused": "was paused",
    "service.resumed": "was resumed",
    "device.approved": "let a command line in",
    "device.denied": "kept a command line out",
    "user.app-added": "set up an authenticator app",
    "user.app-removed": "removed the authenticator app",
    "user.codes-made": "made new recovery codes",
    "user.disabled": "was disabled",
    "user.enabled": "was enabled",
    "user.factors-cleared": "has no second factors any more",
    "user.invited": "was invited",
    "user.joined": "joined by single sign-on",
    "user.link-made": "was given a sign-in link",
    "user.link-used": "used a sign-in link",
    "user.passkey-added": "added a passkey",
    "user.passkey-removed": "removed a passkey",
    "user.password-set": "chose a password",
    "user.role-changed": "has another role",
    "user.sessions-ended": "signed out everywhere else",
    "user.sign-in-failed": "was not let in",
    "user.signed-in": "signed in",
    "user.signed-out": "signed out",
}
ROUTES: Final = {
    "DEP": "deployments:detail",
    "CHG": "changes:detail",
}


@dataclass(frozen=True, slots=True)
class Face:
    """An entry as a page shows it."""

    icon: str
    tone: str
    name: str
    words: str
    detail: str
    by: str
    url: str


def face(event: Event) -> Face:
    """How `event` looks."""
    noun, _, verb = event.type.partition(".")
    data = data_of(event)
    says_itself = event.subject.partition("-")[0] in SPEAKING or event.subject == event.service
    words = verb if says_itself else f"{noun} {verb}"
    return Face(
        icon=ICONS.get(noun, "info"),
        tone=next((tone for end, tone in TONES if re.search(end, event.type)), "idle"),
        name=_name(event, data),
        words=VERBS.get(event.type, words).replace("-", " "),
        detail=_detail(data),
        by="" if event.actor in {STEERWAY, event.subject} else event.actor,
        url=subject_url(event.subject) or service_url(event.service),
    )


def _name(event: Event, data: dict[str, Any]) -> str:
    """What people call the subject; ids are for machines."""
    if found := PROGRAM.fullmatch(event.subject):
        return f"{found[1]} replica {found[2]}"
    if ID.fullmatch(event.subject):
        return " ".join(filter(None, (event.service, str(data.get("name", "")))))
    # A place is `shop/production`; the environment stands beside it.
    return event.subject.partition("/")[0] if event.type.startswith("route.") else event.subject


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
