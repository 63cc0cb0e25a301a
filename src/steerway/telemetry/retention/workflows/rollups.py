"""Five minutes of a series as one row, kept long after its samples are gone.

A window is rolled up once it is closed, from its own samples alone. So doing it twice gives the
same rows, and the table keeps the newest of equal ones: a kill between the rows and the note of
progress costs nothing but the work. Samples that come late are found by counting.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from steerway.telemetry.retention.queries import ROSE, SPAN, WIDE
from steerway.telemetry.store import Store

WINDOW: Final = timedelta(minutes=5)
LATENESS: Final = timedelta(minutes=2)
# Bounds the memory of one statement: every sample of it is in an array once.
CHUNK: Final = timedelta(minutes=15)
CHUNKS_MAX: Final = 96
JOB: Final = "samples_5m"
RISE: Final = ROSE.format(before="arrayPopBack(points.2)", after="arrayPopFront(points.2)")
ROLL: Final = f"""
INSERT INTO samples_5m (
    metric, id, ts, first_ts, last_ts, first, last, min, max, sum, count, increase, made_at
)
SELECT name, series, starts,
       points[1].1, points[-1].1, points[1].2, points[-1].2,
       arrayMin(points.2), arrayMax(points.2), arraySum(points.2), length(points), {RISE},
       {{now:DateTime64(3)}}
FROM (
    SELECT any(metric) AS name, id AS series,
           toDateTime64(toStartOfInterval(ts, INTERVAL 5 MINUTE), 3) AS starts,
           arraySort(groupArray((ts, value))) AS points
    FROM samples
    WHERE {SPAN} AND NOT isNaN(value)
    GROUP BY id, starts
)
SETTINGS max_bytes_before_external_group_by = 134217728
"""  # noqa: S608 -- of constants
FIRST: Final = (
    "SELECT min(ts) AS first, count() AS n FROM samples WHERE ts >= {since:DateTime64(3)}"
)
PROGRESS: Final = (
    "SELECT argMax(until, noted_at) AS until, count() AS n FROM progress WHERE job = {job:String}"
)
NOTE: Final = (
    "INSERT INTO progress (job, until, noted_at) "
    "SELECT {job:String}, {until:DateTime64(3)}, now64(3)"
)
HOUR: Final = "toDateTime64(toStartOfHour(ts), 3)"
LATE: Final = f"""
SELECT hour, sum(raw) > sum(rolled) AS is_late FROM (
    SELECT {HOUR} AS hour, count() AS raw, 0 AS rolled FROM samples
    WHERE {SPAN} AND NOT isNaN(value) GROUP BY hour
    UNION ALL
    SELECT {HOUR} AS hour, 0 AS raw, sum(count) AS rolled FROM samples_5m FINAL
    WHERE {SPAN} GROUP BY hour
)
GROUP BY hour HAVING is_late ORDER BY hour
"""  # noqa: S608 -- of constants


def advance(store: Store, now: datetime) -> datetime:
    """Roll up the windows that have closed; answers until when nothing is left to roll up.

    Bounded: what is left after a long time away is done by the next calls.
    """
    closed = floor(now - LATENESS)
    until = _progress(store)
    for _ in range(CHUNKS_MAX):
        since = _first(store, until)
        if since is None or since >= closed:
            return closed
        until = min(since + CHUNK, closed)
        roll(store, since, until, now)
        store.execute(NOTE, {"job": JOB, "until": until})
    return until or closed


def mend(store: Store, since: datetime, until: datetime, now: datetime) -> int:
    """Roll up again the hours that samples came late for; answers how many.

    Only where there are more samples than were rolled up: fewer are what trimming has left.
    """
    hours = store.table(LATE, {"since": since, "until": until}, limits=WIDE)["hour"]
    for hour in hours.to_pylist():
        for quarter in range(timedelta(hours=1) // CHUNK):
            start = hour + quarter * CHUNK
            roll(store, start, start + CHUNK, now)
    return len(hours)


def roll(store: Store, since: datetime, until: datetime, now: datetime) -> None:
    """Roll up whole windows; again gives the same."""
    store.execute(ROLL, {"since": since, "until": until, "now": now})


def floor(moment: datetime) -> datetime:
    """The start of the window that a moment is in."""
    seconds = moment.timestamp() // WINDOW.total_seconds() * WINDOW.total_seconds()
    return datetime.fromtimestamp(seconds, UTC)


def _progress(store: Store) -> datetime | None:
    found = store.table(PROGRESS, {"job": JOB}).to_pylist()[0]
    return found["until"] if found["n"] else None


def _first(store: Store, until: datetime | None) -> datetime | None:
    """Where samples go on that are not rolled up: what is empty is passed over."""
    since = until or datetime.fromtimestamp(0, UTC)
    found = store.table(FIRST, {"since": since}).to_pylist()[0]
    return floor(found["first"]) if found["n"] else None
