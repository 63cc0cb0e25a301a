"""What is around every page: the navigation, the banners, and where the log stands."""

from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject

from steerway.planning.changes import queries as changes
from steerway.platform import clock
from steerway.platform.log import queries as log
from steerway.platform.work import Actor, Work

THEMES: Final = ("light", "dark")


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the navigation. `needs` is the permission that shows it."""

    name: str
    icon: str
    route: str
    group: str = ""
    needs: str = "records.read"


@dataclass(frozen=True, slots=True)
class Shown:
    """A place as it is shown."""

    name: str
    icon: str
    group: str
    url: str
    is_current: bool


# Every place of the navigation, in order. A place without its route is not shown.
PLACES: Final = (
    Place("Bridge", "bridge", "bridge"),
    Place("Services", "services", "services:list"),
    Place("Changes", "changes", "changes:list", "Plan"),
    Place("Deployments", "deployments", "deployments:list", "Deliver"),
    Place("Releases", "releases", "releases:list", "Deliver"),
    Place("Flags", "flag", "flags:list", "Deliver"),
    Place("Explore", "explore", "explore:metrics", "Observe"),
    Place("Hosts", "host", "hosts:list", "Observe"),
    Place("Log", "log", "log:list", "Control"),
    Place("People", "people", "identity:people", "Steerway", "people.manage"),
    Place("Settings", "settings", "installation:settings", "Steerway", "settings.read"),
)
# What has a place of its own at the bottom of a phone; the rest is one tap further.
TABS: Final = ("Bridge", "Services", "Deployments", "Changes")


def shell(request: HttpRequest) -> dict[str, object]:
    """What `page.html` needs on every page; asked for only where it is used."""
    work: Work | None = getattr(request, "work", None)
    theme = request.COOKIES.get("steerway_theme", "")
    context: dict[str, object] = {"theme": theme if theme in THEMES else ""}
    if work is None or not work.actor.scopes:  # nobody is signed in
        return context | {"now": clock.now(), "actor": None}
    return context | {
        "now": work.now,
        "actor": work.actor,
        "account_url": _address("identity:account"),
        "sign_out_url": _address("account_logout"),
        "search_url": _address("search"),
        "changes_url": _address("changes:list"),
        "seq": SimpleLazyObject(log.last_seq),
        "menu": SimpleLazyObject(lambda: places(work.actor, request.path)),
        "tabs": SimpleLazyObject(
            lambda: [p for p in places(work.actor, request.path) if p.name in TABS]
        ),
        "freeze": SimpleLazyObject(changes.freeze),
    }


def places(actor: Actor, path: str) -> list[Shown]:
    """What the actor may see of the navigation, while at `path`."""
    found = [(p, _address(p.route)) for p in PLACES if actor.may(p.needs)]
    here = _current(path, [url for _, url in found if url])
    return [Shown(p.name, p.icon, p.group, url, url == here) for p, url in found if url]


def _current(path: str, urls: list[str]) -> str:
    """The address in the navigation that `path` lies under; the longest wins."""
    under = [u for u in urls if path == u or (u != "/" and path.startswith(u.rstrip("/") + "/"))]
    return max(under, key=len, default="")


def _address(route: str) -> str:
    """The address of a route; empty when this installation has no such page."""
    try:
        return reverse(route)
    except NoReverseMatch:
        return ""
