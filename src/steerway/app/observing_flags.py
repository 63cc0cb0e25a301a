"""What is counted of flags, as series: what replicas leave beside their flags, and OFREP's own."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from steerway.delivery.declarations import queries as flags
from steerway.delivery.flags.adapters.files import FlagFiles
from steerway.delivery.flags.rules.asked import Asked
from steerway.platform.db import reading
from steerway.telemetry.scraping.rules.batch import Point

REQUESTS: Final = "flag_requests_total"
EVALUATIONS: Final = "flag_evaluations_total"
OFREP: Final = "ofrep"

Labels = dict[str, str]


class FlagCounts:
    """The counts of the services that live here. `replicas` are the labels of each by its pid."""

    def __init__(
        self,
        files: FlagFiles,
        asked: Asked,
        services: Callable[[], Iterable[str]],
        replicas: Callable[[], Mapping[str, Labels]],
    ) -> None:
        self._files = files
        self._asked = asked
        self._services = services
        self._replicas = replicas

    def points(self) -> Iterator[Point]:
        """Evaluations by variant, and requests by variant and outcome."""
        with reading():
            places = list(flags.etags(self._services()))
            replicas = self._replicas()
        for service, environment in places:
            place = {"service": service, "environment": environment}
            evaluations = self._files.evaluations(service, environment)
            for name, counted in evaluations.items():
                yield from _evaluated(place | _called(name, replicas), counted)
            for name, outcomes in self._files.outcomes(service, environment).items():
                yield from _ended(place | _called(name, replicas), outcomes)
        for (service, environment), row in self._asked.totals().items():
            own = {"service": service, "environment": environment, "instance": OFREP}
            for (flag, variant), count in row.items():
                yield Point(EVALUATIONS, {**own, "flag": flag, "variant": variant}, count)


def _called(name: str, replicas: Mapping[str, Labels]) -> Labels:
    """The labels of a replica by the pid that its file is called after."""
    return replicas.get(name.rpartition(".")[2], {"instance": name})


def _evaluated(own: Labels, counted: Mapping[str, Mapping[str, int]]) -> Iterator[Point]:
    for flag, row in counted.items():
        for variant, count in row.items():
            yield Point(EVALUATIONS, {**own, "flag": flag, "variant": variant}, count)


def _ended(own: Labels, outcomes: Mapping[str, Mapping[str, Mapping[str, int]]]) -> Iterator[Point]:
    for flag, variants in outcomes.items():
        for variant, row in variants.items():
            for outcome, count in row.items():
                labels = {**own, "flag": flag, "variant": variant, "outcome": outcome}
                yield Point(REQUESTS, labels, count)
