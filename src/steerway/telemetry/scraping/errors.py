"""Why a target could not be read."""

from steerway.platform.errors import Unavailable


class ScrapeFailed(Unavailable):
    """The target did not answer, or not in time."""

    message = "{url} cannot be scraped: {why}."


class PageRefused(ScrapeFailed):
    """It answered, and what it answered cannot be taken."""
