"""Reads of builds."""

from pathlib import Path
from uuid import UUID

from steerway.delivery.builds import errors
from steerway.delivery.builds.models import Build
from steerway.delivery.builds.rules import State
from steerway.delivery.releases.models import Release

PAGE: int = 50
LOG_BYTES_MAX: int = 1 << 20  # a page shows the end of a longer log


def get(build_id: UUID) -> Build:
    """The build with this id.

    Raises:
        BuildUnknown: there is none.
    """
    try:
        return Build.objects.select_related("release").get(pk=build_id)
    except Build.DoesNotExist as error:
        raise errors.BuildUnknown(id=build_id) from error


def ready(service: str, input_digest: str) -> Release | None:
    """The release that this input was built into, when its files are still kept."""
    found = Build.objects.select_related("release").filter(
        service=service, input_digest=input_digest, state=State.SUCCEEDED
    )
    build = found.first()
    release = build.release if build else None
    return release if release and release.is_present else None


def history(service: str, *, limit: int = PAGE) -> list[Build]:
    """Builds, newest first."""
    builds = Build.objects.select_related("release").filter(service=service)
    return list(builds.order_by("-asked_at", "-id")[:limit])


def running() -> set[UUID]:
    """The ids of all builds that are not done."""
    pending = Build.objects.filter(state__in=[State.QUEUED, State.RUNNING])
    return set(pending.values_list("id", flat=True))


def log_path(home: Path, build_id: UUID) -> Path:
    """Where the log of a build is, whether it has begun or not."""
    return home / "log" / "builds" / f"{build_id}.log"


def log(home: Path, build_id: UUID) -> str:
    """The log of a build so far, at most its last LOG_BYTES_MAX bytes; empty before it begins."""
    path = log_path(home, build_id)
    if not path.exists():
        return ""
    with path.open("rb") as handle:
        handle.seek(max(path.stat().st_size - LOG_BYTES_MAX, 0))
        return handle.read(LOG_BYTES_MAX).decode(errors="replace")
