"""The page of the reference about PromQL: what there is, what is not, and why."""

from typing import Final

from steerway.app.reference_tables import code, page, table
from steerway.telemetry.metrics import api
from steerway.telemetry.promql import calls, functions, ranges
from steerway.telemetry.vectors import aggregations, operators

INTRO: Final = """\
Metrics are asked for in PromQL, with the meaning of Prometheus 3: windows are open on the left, a
sample is seen for five minutes unless a stale mark ends its series, names are dropped at the end of
a query (so `sum by (__name__) (rate(…))` works). Regular expressions are those of RE2 and match the
whole value. The same language is behind `steerway query`, Explore, dashboards, and the addresses
below, which speak Prometheus' HTTP API. At most 11,000 moments are answered for a series, as there;
`STEERWAY_QUERY_SECONDS`, `STEERWAY_QUERY_MEGABYTES` and `STEERWAY_QUERY_SAMPLES` are the other
limits. A query whose asker has left is cancelled."""
CONFORMANCE: Final = """\
Cases of our own, in the notation of Prometheus' tests, are in `tests/telemetry/metrics/cases`.
`PROMQLTEST=DIRECTORY pytest tests/peers/test_promql.py` runs Prometheus' own files from a copy of
`promql/promqltest/testdata`; `tests/peers` also compares answers with a real Prometheus and asks us
with `promtool`. Of Prometheus 3.14's files, this was counted:"""
COUNTED: Final = (
    ("needs no native histogram and nothing experimental", "558", "557"),
    ("has native histograms with exponential buckets in its samples", "841", "814"),
    ("has native histograms with custom buckets", "382", "not run"),
    ("experimental: durations that are computed, `anchored`, `smoothed`, `fill`, `info`, "
     "start timestamps, types and units as labels, `limit_ratio`", "396 (36 more not run)", "130"),
)  # fmt: skip
FAILING: Final = (
    ("`label_replace` to a label named by the byte `\\xff`",
     "The parser reads the escape as the letter ÿ, which is a label's name; Prometheus refuses."),
    ("`count_values` of native histograms (5 cases)", "A histogram has no text here: not counted."),
    ("`count_values` by a label named by the byte `\\xc5`", "As for `label_replace`."),
    ("`sum`, `avg`, `sum_over_time` and `avg_over_time` of native histograms whose sums cancel or "
     "overflow (16 cases)",
     "Sums of numbers keep what rounding takes; those of histograms are plain."),
    ("a native histogram divided by zero (3 cases)",
     "Empty buckets beside full ones become NaN there and stay empty here."),
    ("`histogram_quantile(0.5, …)` of a histogram with as much below zero as above (1 case)",
     "The bound of the lower bucket is taken, not that of the upper one."),
    ("a range selector alone over native histograms (1 case)",
     "Its samples are listed as numbers; functions over it see the histograms."),
)  # fmt: skip
MISSING: Final = (
    ("`info`, `limit_ratio`, `start_timestamp`", "Experimental; refused with a sentence."),
    ("durations that are computed, `anchored`, `smoothed`", "The parser does not know them."),
    ("native histograms with custom buckets", "They are not stored."),
    ("annotations (warnings and infos)", "Answers carry none."),
    ("moments of `@` before 1970", "The parser reads them as 1970."),
    ("`/api/v1/parse_query`, `/api/v1/targets`, rules and alerts",
     "Answered empty where clients ask for them; alerts are pages of their own."),
)  # fmt: skip

OVER_RANGES: Final = {
    "absent_over_time",
    "double_exponential_smoothing",
    "predict_linear",
    "quantile_over_time",
}

OTHER_ADDRESSES: Final = ("status/buildinfo", "format_query", "label/NAME/values")


def text() -> str:
    """The page."""
    names = sorted({*ranges.FUNCTIONS, *functions.MATHS, *functions.DATES, *calls.OTHERS})
    rows = [(code(name), _about(name)) for name in names]
    operations = sorted(
        {*aggregations.SIMPLE, "quantile", "topk", "bottomk", "limitk", "count_values"}
    )
    binary = [*operators.ARITHMETIC, *operators.COMPARISON, *sorted(operators.SETS)]
    addresses = sorted([*api.TEXTS, *api.LISTS, *api.NOTHING, *OTHER_ADDRESSES])
    counted = table(("cases", "how many", "pass"), COUNTED)
    return page(
        "PromQL",
        INTRO,
        "## Functions",
        table(("function", "over"), rows),
        "## Aggregation and operators",
        "By and without labels: " + ", ".join(code(one) for one in operations) + ".",
        "Between vectors and numbers, with `bool`, `on`, `ignoring`, `group_left`, `group_right` "
        "and `fill`: " + ", ".join(code(one) for one in binary) + ".",
        "Selectors have `offset` (also negative), `@` with a moment, `start()` and `end()`, and "
        "subqueries, whose step is one minute when none is given.",
        "## Addresses",
        "`GET` or `POST`, with a token of the scope `records.read` as a bearer or as the password: "
        + ", ".join(code(api.PREFIX + one) for one in addresses)
        + f", {code(api.FEDERATE)}.",
        "## Conformance",
        CONFORMANCE,
        counted,
        "These fail, for these reasons:",
        table(("case", "why"), FAILING),
        "## What is not there",
        table(("what", "why"), MISSING),
    )


def _about(name: str) -> str:
    if name in ranges.FUNCTIONS or name in OVER_RANGES:
        return "samples of a range"
    return "values at each moment"
