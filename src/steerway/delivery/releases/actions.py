"""Writes of releases. Files are put and removed by `workflows`, around these."""

from collections.abc import Collection
from uuid import UUID

from steerway.delivery.releases import queries, rules
from steerway.delivery.releases.models import Release
from steerway.delivery.releases.rules import Origin, Sealed
from steerway.platform.work import Work


def register(work: Work, *, service: str, origin: Origin, sealed: Sealed) -> Release:
    """The record of a release whose files are on disk; the same files are the same release."""
    manifest = sealed.manifest
    fields = {
        "name": origin.name,
        "commit": origin.commit,
        "subject": origin.subject,
        "author": origin.author[:250],
        "input_digest": origin.input_digest,
        "kind": manifest.kind,
        "size_bytes": manifest.size_bytes,
        "notes": list(sealed.notes),
        "built_at": work.now,
    }
    release, is_new = Release.objects.get_or_create(
        service=service, digest=manifest.digest, defaults=fields
    )
    if not is_new and release.is_present:
        return release
    if not is_new:
        _revive(release, fields)
    work.record(
        "release.built",
        str(release.id),
        service=service,
        name=release.name,
        commit=release.commit,
        digest=release.digest,
        size_bytes=release.size_bytes,
    )
    return release


def _revive(release: Release, fields: dict[str, object]) -> None:
    """The files of a removed release were built again."""
    for name, value in {**fields, "removed_at": None}.items():
        setattr(release, name, value)
    release.save()


def keep(
    work: Work, *, service: str, count: int, protected: Collection[UUID] = ()
) -> list[Release]:
    """Give up the oldest releases so that `count` remain, the protected ones among them.

    Args:
        work: who, and when.
        service: whose releases.
        count: how many remain at least.
        protected: what runs, starts or may be rolled back to; never given up.

    Returns:
        What was given up. `workflows.keep` then removes the files.
    """
    present = list(queries.present(service))
    doomed = set(rules.surplus([release.id for release in present], protected, count))
    given_up = [release for release in present if release.id in doomed]
    return [release for release in given_up if _give_up(work, release)]


def _give_up(work: Work, release: Release) -> bool:
    still = Release.objects.filter(pk=release.pk, removed_at=None)
    if not still.update(removed_at=work.now):
        return False  # somebody else was first, and has recorded it
    release.removed_at = work.now
    work.record(
        "release.removed",
        str(release.id),
        service=release.service,
        name=release.name,
        digest=release.digest,
        size_bytes=release.size_bytes,
    )
    return True
