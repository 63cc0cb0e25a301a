"""Reads of releases."""

from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path
from uuid import UUID

from django.db.models import Q, QuerySet

from steerway.delivery.releases import errors
from steerway.delivery.releases.models import Release
from steerway.delivery.releases.rules import PREFIX, File, parsed

PAGE: int = 50
DIGEST_TYPED_MIN: int = 6  # characters of a digest or commit that are taken for one


def get(release_id: UUID) -> Release:
    """The release with this id.

    Raises:
        ReleaseUnknown: there is none.
    """
    try:
        return Release.objects.get(pk=release_id)
    except Release.DoesNotExist as error:
        raise errors.ReleaseUnknown(service="Steerway", wanted=release_id, hint="") from error


def find(service: str, wanted: str) -> Release:
    """The newest present release called `wanted`: a name, or the beginning of a digest or commit.

    Raises:
        ReleaseUnknown: with names that come near.
    """
    called = Q(name=wanted)
    if len(wanted) >= DIGEST_TYPED_MIN:
        called |= Q(digest__startswith=wanted) | Q(commit__startswith=wanted)
    found = present(service).filter(called).first()
    if found is None:
        raise errors.ReleaseUnknown(service=service, wanted=wanted, hint=_hint(service, wanted))
    return found


def is_called(release: Release, wanted: str) -> bool:
    """Whether `find` would take `wanted` for this release."""
    begins = release.digest.startswith(wanted) or release.commit.startswith(wanted)
    return release.name == wanted or (len(wanted) >= DIGEST_TYPED_MIN and begins)


def latest(service: str) -> Release | None:
    """The newest release whose files are kept; None when nothing was built yet."""
    return present(service).first()


def present(service: str) -> QuerySet[Release]:
    """The releases whose files are kept, newest first."""
    kept = Release.objects.filter(service=service, removed_at=None)
    return kept.order_by("-built_at", "-id")


def history(service: str, *, limit: int = PAGE) -> list[Release]:
    """All releases, the removed ones too, newest first."""
    return list(Release.objects.filter(service=service).order_by("-built_at", "-id")[:limit])


def newest(*, service: str = "", before: UUID | None = None, rows: int = PAGE) -> list[Release]:
    """Releases of one service, or of all when none is named, newest first, older than `before`."""
    found = Release.objects.filter(service=service) if service else Release.objects.all()
    if before is not None:
        found = found.filter(id__lt=before)  # An id begins with its time.
    return list(found.order_by("-id")[:rows])


def digests_given_up(among: Collection[str] | None = None) -> set[str]:
    """The digests that no release of any service keeps any more: of `among`, or of all."""
    releases = Release.objects.all()
    if among is not None:
        releases = releases.filter(digest__in=among)
    kept = releases.filter(removed_at=None).values("digest")
    return set(releases.exclude(digest__in=kept).values_list("digest", flat=True))


def files(home: Path, release: Release) -> tuple[File, ...]:
    """What a release is made of, by path; empty when its files are not on this machine."""
    manifest = home / "releases" / release.digest[:PREFIX] / "manifest.json"
    return parsed(manifest.read_text()).files if manifest.exists() else ()


def _hint(service: str, wanted: str) -> str:
    names = list(present(service).values_list("name", flat=True)[:PAGE])
    near = get_close_matches(wanted, names, n=3, cutoff=0.5) or names[:5]
    return f" It has {', '.join(dict.fromkeys(near))}." if near else ""
