"""The `canary` section: how a new version earns its traffic. Everything has a default."""

from datetime import timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from steerway.platform.descriptor.section import DurationBetween, Name, Section

StepPercent = Annotated[float, Field(gt=0, lt=100)]
Part = Annotated[float, Field(ge=0, le=100)]
Query = Annotated[str, Field(min_length=1, max_length=2000)]
Watched = Literal["errors", "latency", "refusals", "crashes", "saturation"]
TEN: Final = 10  # steps, metrics and safe requests: more is not read by anybody


class MarginSection(Section):
    """How much worse than the stable version is not worth a rollback."""

    times: float = Field(
        default=1.25, ge=1, le=10, description="So many times the stable version's ratio, ..."
    )
    plus: Part = Field(default=0.02, description="... and so many percentage points more.")


class MetricSection(Section):
    """A metric of the service's own. Queries give one series for each `version`.

    In a query $service, $environment and $every are replaced.
    """

    name: Name = Field(description="What it is called in verdicts.")
    bad: Query | None = Field(
        default=None,
        description="PromQL: how many were bad in $every, by version, such as "
        'sum by (version) (increase(payments_total{result="failed"}[$every])).',
    )
    total: Query | None = Field(
        default=None, description="PromQL: how many there were in $every, by version."
    )
    value: Query | None = Field(
        default=None,
        description="PromQL: instead of bad and total, a number by version, such as the length "
        "of a queue.",
    )
    fine: float | None = Field(
        default=None, description="The value, or less, that is nothing bad at all."
    )
    poor: float | None = Field(
        default=None,
        description="The value that is as bad as it gets; smaller than fine if less is worse.",
    )
    every: Annotated[timedelta, DurationBetween("1s", "5m")] = Field(
        default=timedelta(seconds=15), description="How often it is asked for, from 1s to 5m."
    )
    margin: MarginSection = Field(
        default=MarginSection(times=1.25, plus=1),
        description="How much worse is not worth a rollback.",
    )

    @property
    def is_ratio(self) -> bool:
        """Whether it counts, and does not measure."""
        return self.bad is not None

    @model_validator(mode="after")
    def it_is_one_of_two_kinds(self) -> Self:
        """A ratio needs both counts; a value needs both anchors."""
        counts, anchors = (self.bad, self.total), (self.value, self.fine, self.poor)
        is_ratio = None not in counts and anchors == (None, None, None)
        is_value = None not in anchors and counts == (None, None)
        if not is_ratio and not is_value:
            raise ValueError("a metric has bad and total, or value, fine and poor")
        if is_value and self.fine == self.poor:
            raise ValueError("fine and poor are the same, so nothing lies between them")
        return self


class SafeRequestSection(Section):
    """A request that may be made at any time without doing anything."""

    method: Literal["GET", "HEAD"] = Field(default="GET", description="How it is asked.")
    path: str = Field(
        pattern=r"^/[!-~]*$", max_length=1000, description="What is asked for, with its query."
    )


class TopUpSection(Section):
    """Requests that Steerway makes when real ones are too few; marked, and nobody's figures."""

    requests: tuple[SafeRequestSection, ...] = Field(
        min_length=1, max_length=TEN, description="What may be asked, in turns."
    )
    rate: float = Field(
        default=2, gt=0, le=100, description="At most so many a second, to each version."
    )


class CanarySection(Section):
    """How a new version earns its traffic beside the one that serves."""

    shadow: Annotated[timedelta, DurationBetween("0s", "1h")] = Field(
        default=timedelta(0),
        description="How long at most, before any user reaches it, the new version gets copies of "
        "requests that only read (GET, HEAD, OPTIONS), whose answers nobody sees. Worse by those, "
        "it never gets a user. 0s: no copies.",
    )
    steps: tuple[StepPercent, ...] = Field(
        default=(1, 5, 25, 50),
        min_length=1,
        max_length=TEN,
        description="Share of the traffic that the new version gets, step by step, in percent.",
    )
    shortest: Annotated[timedelta, DurationBetween("1s", "1h")] | None = Field(
        default=None,
        description="How long a step takes at least, up to 1h; left out, 8 s and the last 15 s.",
    )
    longest: Annotated[timedelta, DurationBetween("10s", "30d")] | None = Field(
        default=None,
        description="How long a step takes at most while nothing looks worse and there is no "
        "proof either; left out, 60 s up to 5 %, 120 s up to 25 %, and 270 s beyond.",
    )
    false_alarms: float = Field(
        default=0.1,
        ge=0.001,
        le=5,
        description="Chance in percent that a good release is rolled back, in the whole rollout.",
    )
    watch: tuple[Watched, ...] = Field(
        default=("errors", "latency", "refusals", "crashes", "saturation"),
        min_length=1,
        description="What is compared: errors (5xx, timeouts, broken connections of every "
        "attempt), latency (median, 90th and 99th percentile), refusals (4xx), crashes, and "
        "saturation (memory and processor close to their limits).",
    )
    errors: MarginSection = Field(
        default=MarginSection(), description="How much worse errors may be."
    )
    metrics: tuple[MetricSection, ...] = Field(
        default=(), max_length=TEN, description="Metrics of the service's own, in PromQL."
    )
    objective: Annotated[float, Field(gt=0, lt=100)] | None = Field(
        default=None,
        description="Percent of requests that should succeed. While the service as a whole fails "
        "14.4 times as often as that allows, no step is taken.",
    )
    bake: Annotated[timedelta, DurationBetween("0s", "1d")] = Field(
        default=timedelta(minutes=2),
        description="How long the old version stays ready once the new one has all traffic, up "
        "to 1d.",
    )
    warm_up: Annotated[timedelta, DurationBetween("0s", "10m")] = Field(
        default=timedelta(seconds=10),
        description="How long latency is not judged, because caches are cold, up to 10m.",
    )
    sticky: bool = Field(
        default=True, description="Whether a user stays with the version that served first."
    )
    few_clients: bool = Field(
        default=False,
        description="Whether a few programs call this service: then each of their failures "
        "counts in full. Else the failures of one client count less and less.",
    )
    top_up: TopUpSection | None = Field(
        default=None, description="Safe requests for when real ones are too few to judge by."
    )
    approve: tuple[StepPercent | Literal[100], ...] = Field(
        default=(), max_length=TEN + 1, description="Steps that a person must approve first."
    )
    attempts: int = Field(
        default=2,
        ge=1,
        le=20,
        description="How often the same release is tried by itself before a person must say so.",
    )

    @model_validator(mode="after")
    def steps_rise(self) -> Self:
        """Traffic never goes back down on the way up."""
        if list(self.steps) != sorted(set(self.steps)):
            raise ValueError(f"steps must rise, got {', '.join(f'{s:g}' for s in self.steps)}")
        return self

    @model_validator(mode="after")
    def errors_are_watched(self) -> Self:
        """A canary that may fail is none."""
        if "errors" not in self.watch:
            raise ValueError("errors must be among what is watched")
        return self

    @model_validator(mode="after")
    def the_longest_is_longer(self) -> Self:
        """A step that may not end before it must end is a mistake."""
        if self.shortest and self.longest and self.shortest > self.longest:
            raise ValueError("shortest is longer than longest")
        return self

    @model_validator(mode="after")
    def approvals_are_of_steps(self) -> Self:
        """An approval that nothing waits for would never be asked for."""
        if unknown := set(self.approve) - set(self.steps) - {100}:
            raise ValueError(f"approve names {min(unknown):g}, which is no step")
        return self

    @model_validator(mode="after")
    def metrics_have_names_of_their_own(self) -> Self:
        """A verdict names its metric."""
        names = [one.name for one in self.metrics]
        if len(set(names)) < len(names) or set(names) & {"errors", "crash", "saturation"}:
            raise ValueError("each metric needs a name that no other metric has")
        return self
