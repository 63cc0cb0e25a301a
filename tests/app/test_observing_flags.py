"""Counts of flags as series."""

import json
from pathlib import Path

import pytest

from steerway.app.observing_flags import FlagCounts
from steerway.delivery.declarations.rules.documents import reports_of
from steerway.delivery.flags.adapters.files import FlagFiles
from steerway.delivery.flags.rules.asked import Asked
from tests.delivery.flags.conftest import shop

__all__ = ["shop"]
pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_what_replicas_and_ofrep_count_has_the_labels_of_everything_else(
    tmp_path: Path, shop: str
) -> None:
    folder = reports_of(tmp_path, shop, "production")
    folder.mkdir(parents=True)
    report = {
        "evaluations": {"new-checkout": {"on": 3}},
        "requests": {"new-checkout": {"on": {"ok": 2, "error": 1}}},
    }
    (folder / "0.77.json").write_text(json.dumps(report))
    (folder / "0.78.json").write_text(json.dumps({"evaluations": {"new-checkout": {"off": 5}}}))
    asked = Asked()
    asked.count((shop, "testing"), [("new-checkout", "off")])
    known = {"77": {"version": "v2", "instance": "shop-0"}}

    counts = FlagCounts(FlagFiles(tmp_path), asked, lambda: [shop], lambda: known)
    found = {(one.metric, *sorted(one.labels.items())): one.value for one in counts.points()}

    def labels(**own: str) -> tuple[tuple[str, str], ...]:
        return tuple(sorted({"service": shop, "flag": "new-checkout", **own}.items()))

    here = {"environment": "production", "version": "v2", "instance": "shop-0", "variant": "on"}
    assert found == {
        ("flag_evaluations_total", *labels(**here)): 3,
        ("flag_requests_total", *labels(**here, outcome="ok")): 2,
        ("flag_requests_total", *labels(**here, outcome="error")): 1,
        ("flag_evaluations_total",
         *labels(environment="production", instance="0.78", variant="off")): 5,
        ("flag_evaluations_total",
         *labels(environment="testing", instance="ofrep", variant="off")): 1,
    }  # fmt: skip
