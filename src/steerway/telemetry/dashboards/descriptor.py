"""The `dashboard` section: a page of panels about the service."""

import re
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from steerway.platform.descriptor.section import Section

PANELS_MAX: Final = 60
QUERY_LENGTH_MAX: Final = 2_000
# Filled in by Steerway, whatever the dashboard declares.
BUILT_IN: Final = frozenset({"service", "environment", "__rate_interval", "__interval", "__range"})
VARIABLE: Final = re.compile(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))")

Kind = Literal["line", "area", "stack", "bar", "stat", "gauge", "table", "logs", "text"]
Question = Annotated[str, Field(min_length=1, max_length=QUERY_LENGTH_MAX)]
VariableName = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9_]{0,39}$",
        json_schema_extra={
            "x-expected": "a name of 1 to 40 lowercase letters, digits and underscores, "
            "starting with a letter,"
        },
    ),
]


class VariableSection(Section):
    """A choice on the page, written `$name` in queries."""

    name: VariableName = Field(description="How queries call it, after a dollar sign.")
    title: str = Field(default="", max_length=60, description="What the page calls it.")
    values: tuple[Annotated[str, Field(max_length=200)], ...] = Field(
        default=(), max_length=200, description="The choices, when they are known beforehand."
    )
    label: str = Field(
        default="",
        pattern=r"^([a-zA-Z_][a-zA-Z0-9_]*)?$",
        max_length=100,
        description="The label whose values are the choices.",
    )
    of: str = Field(
        default="",
        max_length=500,
        description='The series whose label is meant, such as `up{job="shop"}`; all when empty.',
    )
    default: str = Field(default="", max_length=200, description="What is chosen at first.")
    all: bool = Field(default=False, description="Whether everything may be chosen at once.")

    @model_validator(mode="after")
    def choices_come_from_one_place(self) -> Self:
        """Either values or a label."""
        if bool(self.values) == bool(self.label):
            raise ValueError(f"variable {self.name} needs either `values` or `label`")
        if self.of and not self.label:
            raise ValueError(f"variable {self.name} has `of` without `label`")
        return self


class QuestionSection(Section):
    """One question of a panel, and how its lines are called."""

    query: Question = Field(description="PromQL. `$name` is a variable.")
    legend: str = Field(
        default="", max_length=200, description="How its lines are called: `{{label}}` is a value."
    )


class LimitLineSection(Section):
    """A value from which a panel changes its tone."""

    value: float = Field(description="From here on.")
    tone: Literal["good", "warn", "bad"] = Field(default="bad", description="What that means.")
    words: str = Field(default="", max_length=60, description="What stands beside the line.")


class PanelSection(Section):
    """One panel: a chart, a number, a table, lines of the log, or a text."""

    title: str = Field(max_length=100, description="What stands above it.")
    kind: Kind = Field(default="line", description="How the answer is shown.")
    query: str = Field(
        default="",
        max_length=QUERY_LENGTH_MAX,
        description="PromQL; for `logs`, a search of lines. `$name` is a variable.",
    )
    legend: str = Field(
        default="", max_length=200, description="How its lines are called: `{{label}}` is a value."
    )
    queries: tuple[QuestionSection, ...] = Field(
        default=(), max_length=12, description="Several questions, instead of `query`."
    )
    text: str = Field(default="", max_length=4_000, description="What a `text` panel says.")
    unit: str = Field(
        default="",
        max_length=20,
        description="What values are: count, requests/s, per-second, percent, ratio, seconds, "
        "milliseconds, bytes, bytes/s, cores, or any other word.",
    )
    thresholds: tuple[LimitLineSection, ...] = Field(
        default=(), max_length=8, description="Values that change the tone, rising."
    )
    reduce: Literal["last", "avg", "min", "max", "sum"] = Field(
        default="last", description="Which value a `stat` or `gauge` shows."
    )
    min: float | None = Field(default=None, description="Where a gauge begins.")
    max: float | None = Field(default=None, description="Where a gauge ends; where a plot reaches.")
    width: int = Field(default=4, ge=2, le=12, description="Columns it takes, of twelve.")

    @model_validator(mode="after")
    def it_has_what_its_kind_shows(self) -> Self:
        """Text for text, one question for logs, at least one for everything else."""
        if self.kind == "text":
            if not self.text or self.query or self.queries:
                raise ValueError(f"panel {self.title!r} is a text: it needs `text` and no query")
            return self
        if self.text:
            raise ValueError(f"panel {self.title!r} has `text`, but its kind is {self.kind}")
        if bool(self.query) == bool(self.queries):
            raise ValueError(f"panel {self.title!r} needs either `query` or `queries`")
        if self.kind == "logs" and self.queries:
            raise ValueError(f"panel {self.title!r} shows one search of the log: give it `query`")
        return self

    @model_validator(mode="after")
    def thresholds_rise(self) -> Self:
        """The last one that was passed counts."""
        values = [one.value for one in self.thresholds]
        if values != sorted(set(values)):
            raise ValueError(f"thresholds of panel {self.title!r} must rise")
        return self

    @property
    def questions(self) -> tuple[QuestionSection, ...]:
        """All of its questions, however they were written."""
        if self.queries or not self.query:
            return self.queries
        return (QuestionSection(query=self.query, legend=self.legend),)


class RowSection(Section):
    """Panels beside each other, below a title."""

    title: str = Field(default="", max_length=100, description="What stands above the row.")
    panels: tuple[PanelSection, ...] = Field(
        min_length=1, max_length=PANELS_MAX, description="From left to right."
    )


class DashboardSection(Section):
    """A page of panels about the service."""

    title: str = Field(default="", max_length=100, description="What the page is called.")
    variables: tuple[VariableSection, ...] = Field(
        default=(), max_length=12, description="Choices that queries use."
    )
    rows: tuple[RowSection, ...] = Field(
        default=(), max_length=30, description="From top to bottom."
    )

    @model_validator(mode="after")
    def variables_are_told_apart(self) -> Self:
        """Each name once, and none that Steerway fills in itself."""
        names = [one.name for one in self.variables]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"variable {name} is declared twice")
            if name in BUILT_IN:
                raise ValueError(f"variable {name} is filled in by Steerway; choose another name")
        return self

    @model_validator(mode="after")
    def queries_know_their_variables(self) -> Self:
        """A dollar sign before a name that nothing fills in would be asked as it stands."""
        known = {one.name for one in self.variables} | BUILT_IN
        for panel in self.panels:
            for question in panel.questions:
                for name in used(question.query):
                    if name not in known:
                        raise ValueError(
                            f"panel {panel.title!r} uses ${name}, which is no variable here"
                        )
        return self

    @model_validator(mode="after")
    def panels_fit_on_a_page(self) -> Self:
        """Each panel asks; a page of hundreds would be a load test."""
        if len(self.panels) > PANELS_MAX:
            raise ValueError(f"at most {PANELS_MAX} panels, got {len(self.panels)}")
        return self

    @property
    def panels(self) -> tuple[PanelSection, ...]:
        """All of them, in order."""
        return tuple(panel for row in self.rows for panel in row.panels)


def used(query: str) -> list[str]:
    """The names of variables in a query, in order."""
    return [braced or bare for braced, bare in VARIABLE.findall(query)]
