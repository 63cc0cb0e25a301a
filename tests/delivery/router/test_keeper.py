"""What the keeper remembers of the router between its lives."""

from pathlib import Path

import pytest

from steerway.delivery.router.adapters import keeper


@pytest.mark.parametrize(
    "note", ["", "{", "[]", "7", '{"pid": 1}', '{"boot": "another", "keeper": 1, "ends": 0}']
)
def test_a_note_that_is_not_its_own_is_nothing(tmp_path: Path, note: str) -> None:
    (tmp_path / "router.json").write_text(note)

    assert keeper.read(tmp_path)["routers"] == []
