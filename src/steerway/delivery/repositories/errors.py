"""Why a repository, a reference or a tree of files is not taken."""

from steerway.platform.errors import Invalid, NotFound, Refused, Unavailable


class LocationRefused(Invalid):
    """The repository's name is of a kind that is not fetched."""

    message = (
        "The repository {repository} cannot be used: {reason}. "
        "Give a path, an https:// or an ssh:// address in source.repository."
    )


class RepositoryMissing(NotFound):
    """Nothing is there."""

    message = "There is no repository at {repository}. Correct source.repository."


class NotARepository(Invalid):
    """Something is there, but not a git repository."""

    message = "{repository} is not a git repository. Run `git init` and commit, or correct it."


class NotOurs(Refused):
    """Git does not read repositories of other users."""

    message = (
        "The repository {repository} belongs to another user, and git does not read it for "
        "safety. Give it to the user that runs Steerway, or name it by its https:// address."
    )


class AuthenticationNeeded(Refused):
    """The other side wants to know who we are."""

    message = (
        "{repository} asks for a password or key, and none is at hand. Use an ssh:// address with "
        "a key that the user running Steerway may use without a pass phrase."
    )


class RepositoryUnreachable(Unavailable):
    """The other side cannot be reached, or broke off."""

    message = "The repository {repository} does not answer: {reason}."


class RepositorySlow(Unavailable):
    """Git took longer than it may."""

    message = "git did not finish with {repository} within {seconds:.0f} s. Try again later."


class RepositoryTooLarge(Refused):
    """A mirror or a tree passes its limit."""

    message = "{what} is larger than {limit} bytes, the limit. Remove large files from it."


class TooManyFiles(Refused):
    """A tree passes its limit."""

    message = "The tree has {count} files, more than {limit}, the limit. Choose a directory of it."


class RefUnknown(NotFound):
    """The repository knows no such branch, tag or commit."""

    message = "{repository} has no branch, tag or commit {ref}.{hint}"


class RefAmbiguous(Invalid):
    """The beginning of a commit id fits several commits."""

    message = "{ref} is the beginning of several commits of {repository}. Give more of the id."


class RepositoryEmpty(Refused):
    """There is nothing to build yet."""

    message = "The repository {repository} has no commit yet. Commit something first."


class DirectoryUnknown(NotFound):
    """The commit has no such directory."""

    message = "Commit {commit} has no directory {directory}. Correct source.directory."


class TreeRefused(Refused):
    """The tree holds something that cannot be built the same everywhere."""

    message = "{path} {reason}"


class GitMissing(Unavailable):
    """Git is not installed."""

    message = "git does not run on this machine. Install git 2.30 or newer."
