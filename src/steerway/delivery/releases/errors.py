"""Why a release is not found, not whole or not made."""

from steerway.platform.errors import NotFound, Refused


class ReleaseUnknown(NotFound):
    """No release of the service is called that, or its files are gone."""

    message = "{service} has no release {wanted} on disk.{hint}"


class ReleaseGone(NotFound):
    """The directory is not there."""

    message = "The files of release {digest} are not on this machine. Build it again."


class ReleaseChanged(Refused):
    """What is on disk is not what was built."""

    message = (
        "Release {digest} was changed on disk: {path} {how}. "
        "Deploy the commit again; its files are then built anew."
    )


class FileRefused(Refused):
    """The build left something that no release may hold."""

    message = "{path} cannot be part of a release: it {reason}."


class DigestTaken(Refused):
    """Two digests begin alike: never seen, but not silently mixed up."""

    message = "Release {digest} begins like {other}, which is here already. Remove that first."
