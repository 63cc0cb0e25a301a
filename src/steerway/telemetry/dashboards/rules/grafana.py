"""A dashboard of Grafana as a section of a descriptor, and what of it was left out. Pure.

Source: the dashboard model of Grafana 8 to 11, and the older one with `rows` and `graph` panels.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from steerway.telemetry.dashboards.descriptor import BUILT_IN, PANELS_MAX, used
from steerway.telemetry.dashboards.rules.units import unit_of

KINDS: Final = {
    "timeseries": "line",
    "graph": "line",
    "barchart": "bar",
    "stat": "stat",
    "singlestat": "stat",
    "gauge": "gauge",
    "bargauge": "stat",
    "table": "table",
    "table-old": "table",
    "text": "text",
}
PLOTS: Final = frozenset({"line", "area", "stack", "bar"})
REDUCED: Final = {
    "last": "last", "lastNotNull": "last", "current": "last", "mean": "avg", "avg": "avg",
    "min": "min", "max": "max", "sum": "sum", "total": "sum",
}  # fmt: skip
COLUMNS: Final = 24
FILLED_MIN: Final = 5  # percent: below that, an area is a line
TITLE_MAX: Final = 100
QUERIES_MAX: Final = 12
THRESHOLDS_MAX: Final = 8
BY_COLOUR: Final = (("green", "good"), ("yellow", "warn"), ("orange", "warn"), ("red", "bad"))
BY_MODE: Final = {"ok": "good", "warning": "warn", "critical": "bad", "custom": "bad"}
LABEL_VALUES: Final = re.compile(r"^\s*label_values\(\s*(?:(.+?)\s*,\s*)?([a-zA-Z_]\w*)\s*\)\s*$")
OLD_VARIABLE: Final = re.compile(r"\[\[(\w+)(?::\w+)?\]\]")
PROMETHEUS: Final = frozenset({"prometheus", ""})

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Imported:
    """A `dashboard` section as plain values, and one sentence for each thing left out."""

    section: dict[str, Any]
    left_out: tuple[str, ...]


class _Notes(list[str]):
    """What was left out, each once."""

    def say(self, sentence: str) -> None:
        if sentence not in self:
            self.append(sentence)


def imported(dashboard: Json) -> Imported:
    """What of a dashboard can be shown here."""
    notes = _Notes()
    names = _names(dashboard, notes)
    variables = [v for one in _variables(dashboard) if (v := _variable(one, names, notes))]
    known = BUILT_IN | {one["name"] for one in variables}
    rows: list[dict[str, Any]] = []
    count = 0
    for title, panels in _rows(dashboard):
        found = [p for one in panels if (p := _panel(one, names, known, notes))]
        if count + len(found) > PANELS_MAX:
            notes.say(f"a dashboard has at most {PANELS_MAX} panels; those after are left out")
            found = found[: PANELS_MAX - count]
        count += len(found)
        if found:
            rows.append(({"title": title[:TITLE_MAX]} if title else {}) | {"panels": found})
    for name in ("annotations", "links"):
        if _listed(dashboard, name):
            notes.say(f"{name} are left out: deployments are markers by themselves")
    section = {"title": str(dashboard.get("title", ""))[:TITLE_MAX]}
    return Imported(
        section | ({"variables": variables} if variables else {}) | {"rows": rows}, tuple(notes)
    )


def _listed(dashboard: Json, name: str) -> list[Any]:
    found = dashboard.get(name) or []
    found = found.get("list", []) if isinstance(found, dict) else found
    return [one for one in found if not (isinstance(one, dict) and one.get("builtIn"))]


def _rows(dashboard: Json) -> Iterator[tuple[str, list[Json]]]:
    """Rows with their panels; panels before the first row have one without a title."""
    for row in dashboard.get("rows") or []:
        yield str(row.get("title", "")), row.get("panels") or []
    title, panels = "", []
    ordered = sorted(dashboard.get("panels") or [], key=_place)
    for one in ordered:
        if one.get("type") != "row":
            panels.append(one)
            continue
        yield title, panels
        title, panels = str(one.get("title", "")), list(one.get("panels") or [])
    yield title, panels


def _place(panel: Json) -> tuple[int, int]:
    at = panel.get("gridPos") or {}
    return int(at.get("y", 0)), int(at.get("x", 0))


# ── variables


def _variables(dashboard: Json) -> list[Json]:
    return [one for one in (dashboard.get("templating") or {}).get("list") or [] if one]


def _names(dashboard: Json, notes: _Notes) -> dict[str, str]:
    """How each variable is called here: small letters, digits, underscores."""
    names: dict[str, str] = {}
    for one in _variables(dashboard):
        name = str(one.get("name", ""))
        small = re.sub(r"[^a-z0-9_]", "_", name.lower()).strip("_")[:40]
        small = small if small[:1].isalpha() else f"v_{small}"[:40]
        while small in names.values():
            small = f"{small[:38]}_2"
        names[name] = small
        if names[name] != name:
            notes.say(f"variable {name} is called {names[name]} here")
    return names


def _variable(one: Json, names: Mapping[str, str], notes: _Notes) -> dict[str, Any] | None:
    kind, name = str(one.get("type", "")), names[str(one.get("name", ""))]
    if kind == "datasource":
        return None
    if name in {"service", "environment"}:
        notes.say(f"variable {name} is left out: a dashboard belongs to one {name}")
        return None
    if kind in {"custom", "interval"}:
        found = _listed_choices(one)
    elif kind == "query":
        found = _label_choices(one, names)
    else:
        found = None
    if found is None:
        notes.say(f"variable {name} is left out: its kind ({kind}) is not known here")
        return None
    if one.get("multi"):
        notes.say(f"variable {name}: one value or all can be chosen, not several")
    title = str(one.get("label") or "")
    return (
        {"name": name}
        | ({"title": title[:60]} if title else {})
        | found
        | ({"all": True} if one.get("includeAll") else {})
        | _default(one, found)
    )


def _listed_choices(one: Json) -> dict[str, Any] | None:
    text = one.get("query")
    parts = [part.strip() for part in str(text or "").split(",")]
    # `words : value` is a choice with a name of its own.
    values = [part.rpartition(" : ")[2].strip() for part in parts if part]
    values = [value for value in dict.fromkeys(values) if value not in {"auto", "$__auto"}]
    return {"values": values} if values else None


def _label_choices(one: Json, names: Mapping[str, str]) -> dict[str, Any] | None:
    text = one.get("definition") or one.get("query") or ""
    text = str(text.get("query", "")) if isinstance(text, dict) else str(text)
    match = LABEL_VALUES.match(text)
    if match is None:
        return None
    of = _renamed(match[1] or "", names)
    return {"label": match[2]} | ({"of": of} if of else {})


def _default(one: Json, found: Json) -> dict[str, str]:
    current = (one.get("current") or {}).get("value")
    current = current[0] if isinstance(current, list) and current else current
    if not isinstance(current, str) or not current or current.startswith("$__"):
        return {}
    if "values" in found and current not in found["values"]:
        return {}
    return {"default": current[:200]}


# ── panels


def _panel(
    one: Json, names: Mapping[str, str], known: frozenset[str] | set[str], notes: _Notes
) -> dict[str, Any] | None:
    title = (str(one.get("title") or "").strip() or "Panel")[:TITLE_MAX]
    kind = KINDS.get(str(one.get("type", "")))
    if kind is None:
        notes.say(f"panel {title!r} is left out: its kind ({one.get('type')}) is not known here")
        return None
    shown = {"title": title, "kind": _drawn(kind, one)} | _width(one)
    if kind == "text":
        text = str((one.get("options") or {}).get("content") or one.get("content") or "").strip()
        return shown | {"text": text[:4000]} if text else None
    queries = _queries(one, title, names, known, notes)
    if not queries:
        return None
    asked = queries[0] if len(queries) == 1 else {"queries": queries}
    return shown | asked | _values(one, kind, title, notes)


def _drawn(kind: str, one: Json) -> str:
    """Which plot it is: by how its lines are drawn and stacked."""
    if kind != "line":
        return kind
    custom = _defaults(one).get("custom") or {}
    is_bars = custom.get("drawStyle") == "bars" or bool(one.get("bars"))
    if is_bars:
        return "bar"
    stacking = (custom.get("stacking") or {}).get("mode", "none")
    if stacking != "none" or one.get("stack") is True:
        return "stack"
    filled = custom.get("fillOpacity", 0) >= FILLED_MIN or one.get("fill", 0) > 0
    return "area" if filled else "line"


def _queries(
    one: Json,
    title: str,
    names: Mapping[str, str],
    known: frozenset[str] | set[str],
    notes: _Notes,
) -> list[dict[str, str]]:
    found = []
    for target in one.get("targets") or []:
        source = _source(target) or _source(one)
        text = _renamed(str(target.get("expr") or "").strip(), names)
        if source not in PROMETHEUS or not text:
            notes.say(f"a query of panel {title!r} is left out: it is not PromQL")
            continue
        if unknown := [name for name in used(text) if name not in known]:
            notes.say(f"a query of panel {title!r} is left out: nothing fills in ${unknown[0]}")
            continue
        if target.get("hide"):
            continue
        legend = str(target.get("legendFormat") or "")
        legend = "" if legend == "__auto" else legend
        found.append({"query": text} | ({"legend": legend[:200]} if legend else {}))
    if len(found) > QUERIES_MAX:
        notes.say(f"panel {title!r} has more than {QUERIES_MAX} queries; the others are left out")
    if not found:
        notes.say(f"panel {title!r} is left out: no query of it can be asked here")
    return found[:QUERIES_MAX]


def _source(one: Json) -> str:
    """The kind of the data source; empty where it is not said, or is a variable."""
    source = one.get("datasource")
    return str(source.get("type", "")) if isinstance(source, dict) else ""


def _renamed(text: str, names: Mapping[str, str]) -> str:
    """Variables by the names they have here."""
    text = OLD_VARIABLE.sub(r"${\1}", text)
    for old, new in names.items():
        text = re.sub(rf"\$\{{{re.escape(old)}(:\w+)?\}}|\${re.escape(old)}\b", f"${{{new}}}", text)
    return text


def _values(one: Json, kind: str, title: str, notes: _Notes) -> dict[str, Any]:
    """Unit, bounds, thresholds and which value counts."""
    defaults = _defaults(one)
    axis: Json = next(iter(one.get("yaxes") or []), {})
    unit, is_known = unit_of(str(defaults.get("unit") or one.get("format") or axis.get("format")))
    if not is_known:
        notes.say(f"unit {unit} of panel {title!r} is written behind the value as it is")
    found: dict[str, Any] = {"unit": unit} if unit else {}
    found |= {name: float(n) for name in ("min", "max") if (n := _number(defaults.get(name)))}
    if thresholds := _thresholds(one, defaults):
        found["thresholds"] = thresholds
    if kind not in PLOTS | {"table"} and (reduced := _reduced(one)) != "last":
        found["reduce"] = reduced
    return found


def _defaults(one: Json) -> Json:
    found: Json = (one.get("fieldConfig") or {}).get("defaults") or {}
    return found


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else None  # type: ignore[arg-type]  # it is a number


def _thresholds(one: Json, defaults: Json) -> list[dict[str, Any]]:
    by_value: dict[float, dict[str, Any]] = {}
    modern = defaults.get("thresholds") or {}
    if modern.get("mode", "absolute") == "absolute":
        for step in modern.get("steps") or []:
            if (value := _number(step.get("value"))) is not None:
                by_value[value] = {"value": value, "tone": _tone(str(step.get("color", "")))}
    old = one.get("thresholds")
    for step in old if isinstance(old, list) else []:
        if (value := _number(step.get("value"))) is not None:
            by_value[value] = {"value": value, "tone": BY_MODE.get(step.get("colorMode"), "bad")}
    return [by_value[value] for value in sorted(by_value)][:THRESHOLDS_MAX]


def _tone(colour: str) -> str:
    return next((tone for name, tone in BY_COLOUR if name in colour), "warn")


def _reduced(one: Json) -> str:
    calcs = ((one.get("options") or {}).get("reduceOptions") or {}).get("calcs") or []
    name = str(calcs[0]) if calcs else str(one.get("valueName") or "last")
    return REDUCED.get(name, "last")


def _width(one: Json) -> dict[str, int]:
    wide = (one.get("gridPos") or {}).get("w") or int(one.get("span") or 0) * 2
    columns = max(2, min(12, round(int(wide or 8) * 12 / COLUMNS)))
    return {} if columns == 4 else {"width": columns}  # noqa: PLR2004 -- the default
