"""What the language means, in the notation of Prometheus' own tests."""

from pathlib import Path

import pytest

from steerway.telemetry.store import Store
from tests.telemetry.metrics import judging, notation

CASES = sorted((Path(__file__).parent / "cases").glob("*.test"))


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_queries_answer_as_prometheus_does(store: Store, path: Path) -> None:
    wrong = [
        f"{case.file}:{case.line} {case.query}: {found}"
        for case in judging.loaded(store, path)
        if (found := judging.run(store, case))
    ]

    assert not wrong, "\n".join(wrong)


def test_every_case_was_understood() -> None:
    unread = [case.query for path in CASES for case in notation.cases(path) if case.unread]

    assert unread == []


def test_a_case_that_is_wrong_is_found(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "wrong.test"
    file.write_text("load 1m\n  a 1\n\neval instant at 0 a\n  a 2\n\neval instant at 0 a\n  b 1\n")

    assert [bool(judging.run(store, case)) for case in judging.loaded(store, file)] == [True] * 2
