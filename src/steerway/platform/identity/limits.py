"""How often something may be tried.

Counts live in Django's cache. One server is one process, so the cache in its memory is
enough; several servers count each for themselves, which only loosens a limit.
"""

from datetime import datetime, timedelta

from django.core.cache import cache

from steerway.platform.identity.errors import TooOften


def consume(key: str, *, tries: int, per: timedelta) -> None:
    """Count one try.

    Raises:
        TooOften: there were `tries` of them already within `per`.
    """
    seconds = int(per.total_seconds())
    cache.add(f"limit:{key}", 0, seconds)
    try:
        count = cache.incr(f"limit:{key}")
    except ValueError:  # It ran out between the two calls: this is the first try again.
        cache.set(f"limit:{key}", 1, seconds)
        return
    if count > tries:
        raise TooOften(seconds=seconds)


def is_first(key: str, *, per: timedelta) -> bool:
    """Whether this did not happen within `per`."""
    return bool(cache.add(f"first:{key}", 1, int(per.total_seconds())))


def is_too_fast(key: str, now: datetime, *, interval: timedelta, slower: timedelta) -> bool:
    """Whether a poll came sooner than allowed, which makes the allowed interval longer."""
    last, wait = cache.get(f"poll:{key}", (None, interval))
    fast = last is not None and now - last < wait
    cache.set(f"poll:{key}", (now, wait + slower if fast else wait), 3600)
    return fast
