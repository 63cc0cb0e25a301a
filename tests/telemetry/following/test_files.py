"""Reading on in files that are cut, replaced, emptied and removed."""

from pathlib import Path

import pytest

from steerway.delivery.runtimes.adapters import logs
from steerway.telemetry.following.adapters.files import read
from steerway.telemetry.following.rules.places import Place, place

MUCH = 1 << 20


class Reader:
    """Reads on, remembering a place as text only, as after each a crash."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.written = ""
        self.lost = False

    def on(self, limit: int = MUCH, taken: int | None = None) -> bytes:
        found = read(self.path, place(self.written), limit)
        self.lost = found.is_lost
        after = found.place(len(found.data) if taken is None else taken)
        self.written = after.written() if after else ""
        return found.data


def write(path: Path, text: bytes) -> None:
    with path.open("ab") as file:
        file.write(text)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "shop.log"


def test_what_is_appended_is_read_once(log: Path) -> None:
    reader = Reader(log)
    write(log, b"one\n")
    assert reader.on() == b"one\n"
    assert reader.on() == b""
    write(log, b"two\nthr")

    assert reader.on(taken=4) == b"two\nthr"
    write(log, b"ee\n")

    assert reader.on() == b"three\n"


def test_a_file_that_is_not_there_yet_is_read_from_its_beginning(log: Path) -> None:
    reader = Reader(log)
    assert reader.on() == b""
    write(log, b"one\n")

    assert reader.on() == b"one\n"


@pytest.mark.parametrize("unread", [0, 10, 9_000, 40_000])
def test_a_cut_of_the_front_loses_and_repeats_nothing(log: Path, unread: int) -> None:
    reader, content = Reader(log), b"".join(b"line %d\n" % n for n in range(5000))
    write(log, content)
    read_first = len(content) - unread
    assert reader.on(read_first) == content[:read_first]

    assert logs.rotate(log, size_max=100)
    write(log, b"more\n")

    assert reader.on() + reader.on() == content[read_first:] + b"more\n"
    assert not reader.lost


def test_several_cuts_between_two_reads_lose_and_repeat_nothing(log: Path) -> None:
    reader, whole = Reader(log), b""
    for turn in range(4):
        text = b"".join(b"%d line %d\n" % (turn, n) for n in range(2000))
        write(log, text)
        whole += text
        assert logs.rotate(log, size_max=100)
        if turn == 0:
            seen = reader.on(7000)
    while more := reader.on(9000):
        seen += more

    # The first read began with the file as it was then: what was cut off before is not read.
    assert whole.endswith(seen)
    assert not reader.lost


def test_a_cut_among_equal_lines_is_noticed(log: Path) -> None:
    reader = Reader(log)
    write(log, b"tick\n" * 4000)
    reader.on()
    logs.rotate(log, size_max=100)
    write(log, b"tick\n" * 6000)

    assert len(reader.on()) == 30_000


def test_a_log_put_aside_is_read_to_its_end_and_older_ones_never(log: Path) -> None:
    write(log.with_name("shop.log.1"), b"long ago\n")
    reader = Reader(log)
    write(log, b"one\n")
    assert reader.on() == b"one\n"
    log.with_name("shop.log.1").replace(log.with_name("shop.log.2"))
    log.replace(log.with_name("shop.log.1"))
    write(log, b"")
    write(log.with_name("shop.log.1"), b"late\n")

    assert reader.on() == b"late\n"
    write(log.with_name("shop.log.1"), b"later\n")
    assert reader.on() == b"later\n"
    write(log, b"new\n")
    assert reader.on() == b"new\n"
    assert not reader.lost


def test_an_emptied_log_is_read_from_its_beginning_and_said_to_be_incomplete(log: Path) -> None:
    reader = Reader(log)
    write(log, b"one\ntwo\n")
    reader.on()
    log.write_bytes(b"x\n")

    assert reader.on() == b"x\n"
    assert reader.lost


def test_an_emptied_log_that_grew_as_long_is_noticed(log: Path) -> None:
    reader = Reader(log)
    write(log, b"one\ntwo\n")
    reader.on()
    log.write_bytes(b"another\nand more\n")

    assert reader.on() == b"another\nand more\n"
    assert reader.lost


def test_a_replaced_log_is_read_from_its_beginning(log: Path) -> None:
    reader = Reader(log)
    write(log, b"one\n")
    reader.on()
    log.rename(log.with_name("gone"))
    write(log, b"new\n")

    assert reader.on() == b"new\n"


def test_a_place_is_written_as_text() -> None:
    one = Place(3, 500, 7, 64, "ab12")

    assert place(one.written()) == one
    assert place("rubbish") is None


def test_a_log_of_which_nothing_is_known_can_be_read_with_its_archives(log: Path) -> None:
    content = b"".join(b"line %d\n" % n for n in range(3000))
    write(log, content[:20_000])
    logs.rotate(log, size_max=100)
    write(log, content[20_000:])

    assert read(log, None, MUCH, archives=True).data == content
