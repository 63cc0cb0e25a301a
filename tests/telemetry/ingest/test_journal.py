"""What was taken in survives a process that is killed, and counts once."""

from pathlib import Path

import pyarrow as pa
import pytest

from steerway.telemetry.ingest.adapters.digests import DIGEST_BYTES, DIGESTS_MAX, Digests
from steerway.telemetry.ingest.adapters.journal import Journal
from steerway.telemetry.ingest.errors import NotStored
from steerway.telemetry.ingest.workflows import Intake, Parcel
from steerway.telemetry.store import Store, StoreDown
from tests.telemetry.ingest.conftest import NOW, NOW_MS, one

DIGEST = b"0123456789abcdef"


def rows(*values: int) -> dict[str, pa.Table]:
    return {"samples": pa.table({"value": list(values)})}


def read(journal: Journal) -> list[list[int]]:
    found = [record for name in journal.segments() for record in journal.records(name)]
    return [record.tables["samples"]["value"].to_pylist() for record in found]


def test_records_come_back_in_their_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(rows(1, 2), DIGEST)
    journal.append(rows(3))
    first = journal.turn()
    journal.append(rows(4))
    journal.close()

    assert read(Journal(tmp_path)) == [[1, 2], [3], [4]]
    assert next(journal.records(first)).digest == DIGEST
    assert journal.turn() > first


def test_no_name_of_a_segment_comes_twice(tmp_path: Path) -> None:
    names = []
    for _ in range(3):
        journal = Journal(tmp_path)
        journal.append(rows(1))
        names.append(journal.turn())
        journal.drop(names[-1], [])

    assert len(set(names)) == 3


def test_a_segment_comes_after_those_that_were_left(tmp_path: Path) -> None:
    before = Journal(tmp_path)
    before.append(rows(1))
    before.turn()
    before.append(rows(2))
    before.close()

    after = Journal(tmp_path)
    after.append(rows(3))
    after.close()

    assert read(after) == [[1], [2], [3]]
    assert after.left == before.segments()[:2]


def test_a_record_that_is_cut_off_or_damaged_ends_its_segment(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(rows(1))
    journal.append(rows(2))
    journal.close()
    file = next(tmp_path.iterdir())
    whole = file.read_bytes()

    file.write_bytes(whole[:-1])
    cut_off = read(journal)
    file.write_bytes(whole[:-1] + b"\xff")
    damaged = read(journal)

    assert cut_off == damaged == [[1]]


def test_a_disk_that_takes_nothing_refuses(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "gone")
    (tmp_path / "gone").rmdir()

    with pytest.raises(NotStored):
        journal.append(rows(1))


def test_the_newest_segments_that_were_set_aside_are_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for _ in range(12):
        journal.append(rows(1))
        journal.set_aside(journal.turn())

    assert journal.segments() == []
    assert len(list(tmp_path.glob("*.refused"))) == 10


def killed_with(directory: Path, store: Store, *, is_stored: bool) -> Intake:
    """An intake that took samples and log digests, and ends without dropping its segment."""

    def away() -> Store:
        raise StoreDown(why="away")

    intake = Intake(lambda: store if is_stored else away(), now=lambda: NOW, journal=directory)
    samples, series = one("hits", {"service": "shop"}, 1.0, 2.0)
    intake.add_samples(samples, series)
    intake.submit(Parcel(digest=DIGEST, tables={"metadata": METADATA}))
    return intake


METADATA = pa.table(
    {"metric": ["hits"], "type": [""], "unit": [""], "help": [""], "seen_at": [NOW]}
)
COUNTS = "SELECT (SELECT count() FROM samples) AS samples, (SELECT count() FROM series) AS series"


def test_the_next_process_stores_what_was_left(tmp_path: Path, store: Store) -> None:
    killed_with(tmp_path, store, is_stored=False)

    after = Intake(lambda: store, now=lambda: NOW, journal=tmp_path)
    after.start()
    after.stop()

    assert store.table(COUNTS).to_pylist() == [{"samples": 2, "series": 1}]
    assert DIGEST in after.digests
    assert list(tmp_path.glob("*-*")) == []


def test_a_body_that_was_stored_before_the_kill_is_known(tmp_path: Path, store: Store) -> None:
    before = killed_with(tmp_path, store, is_stored=True)
    before.start()
    before.stop()

    after = Intake(lambda: store, now=lambda: NOW, journal=tmp_path)
    after.start()
    after.stop()

    assert after.digests == {DIGEST}


def test_the_newest_digests_are_kept_whatever_was_cut_off(tmp_path: Path) -> None:
    file = tmp_path / "digests"
    many = [number.to_bytes(DIGEST_BYTES, "big") for number in range(2 * DIGESTS_MAX + 1)]
    Digests(file).add(many)
    with file.open("ab") as raw:
        raw.write(b"half")

    Digests(file).add([DIGEST])

    assert list(Digests(file)) == [*many[-DIGESTS_MAX:], DIGEST]


def test_who_waits_while_the_store_is_away_is_told_at_the_stop(
    tmp_path: Path, store: Store
) -> None:
    intake = killed_with(tmp_path, store, is_stored=False)
    stored = intake.submit(Parcel({"metadata": METADATA}))
    intake.start()

    intake.stop()

    with pytest.raises(NotStored, match="stopping"):
        stored.result(timeout=0)
    with pytest.raises(NotStored, match="stopping"):
        intake.add_metadata(METADATA, wait=True)
    with pytest.raises(NotStored, match="stopping"):
        intake.settle()


def test_what_was_stored_before_the_kill_counts_once(tmp_path: Path, store: Store) -> None:
    before = killed_with(tmp_path, store, is_stored=True)
    left = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    before.start()
    before.stop()
    for name, content in left.items():
        (tmp_path / name).write_bytes(content)

    after = Intake(lambda: store, now=lambda: NOW, journal=tmp_path)
    after.start()
    after.stop()

    assert store.table(COUNTS).to_pylist()[0]["samples"] == 2


def test_processes_with_one_clock_lose_nothing_to_each_other(tmp_path: Path, store: Store) -> None:
    for user in ("first", "second"):
        intake = Intake(lambda: store, now=lambda: NOW, journal=tmp_path)
        intake.start()
        for at_ms in (NOW_MS, NOW_MS + 1000):
            samples, series = one("hits", {"service": "shop", "user": user}, 1.0, at_ms=at_ms)
            intake.add_samples(samples, series, wait=True)
        intake.stop()

    assert store.table(COUNTS).to_pylist() == [{"samples": 4, "series": 2}]


def test_what_waits_while_the_store_is_away_is_stored_by_the_next(
    tmp_path: Path, store: Store
) -> None:
    before = killed_with(tmp_path, store, is_stored=False)
    before.start()
    before.stop()

    after = Intake(lambda: store, now=lambda: NOW, journal=tmp_path)
    after.start()
    after.stop()

    assert store.table(COUNTS).to_pylist()[0]["samples"] == 2
