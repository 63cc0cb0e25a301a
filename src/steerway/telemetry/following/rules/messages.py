"""Which lines belong together: a message and its stack trace. Pure.

A line continues the one before when it looks like the inside of a stack trace of Python, Java,
Node, Go, Ruby or .NET. Two programs rarely agree on more, so nothing else is joined.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

LINES_MAX: Final = 500  # of one message
LINE_BYTES_MAX: Final = 64 * 1024
# The unindented inside of traces: Java's causes, Python's chains, Go's goroutines.
_CONTINUES: Final = re.compile(
    rb"\s+\S|Caused by: |\.\.\. \d+ (?:more|common frames)|Suppressed: |--- End of "
    rb"|During handling of the above exception|The above exception was the direct cause"
    rb"|goroutine \d+ \[|\[signal SIG|created by |exit status \d"
)
_PYTHON: Final = b"Traceback (most recent call last):"
_GO: Final = re.compile(rb"(?:panic: |fatal error: |goroutine \d+ \[)")
_GO_FRAME: Final = re.compile(rb"[\w./*()\[\]{}\-]+\(.*\)$")
# The last line of a Python trace: `ValueError: why` or `app.errors.Refused`.
_EXCEPTION: Final = re.compile(rb"[A-Za-z_][\w.]*(?::\s|$)")


class Message(NamedTuple):
    """Lines that belong together, and the position behind them. `is_cut`: too long, shortened."""

    text: bytes
    end: int
    is_cut: bool = False


class Grouping:
    """Joins lines to messages, one after the other; keeps the one that may still grow.

    `is_joining` False: each line is a message.
    """

    def __init__(self, *, is_joining: bool = True) -> None:
        self._is_joining = is_joining
        self._lines: list[bytes] = []
        self._end = 0
        self._is_cut = False
        self._is_python = False
        self._is_go = False

    @property
    def may_grow(self) -> bool:
        """Whether the message that waits can be continued by a line to come."""
        return self._is_joining and bool(self._lines) and not self._lines[0].startswith(b"{")

    def add(self, lines: Iterable[tuple[bytes, int, bool]]) -> Iterator[Message]:
        """Take lines with the position behind each; gives the messages that are over."""
        for line, end, is_cut in lines:
            if self._lines and not self._goes_on(line):
                yield self._over()
            if not self._lines:
                self._is_python = self._is_go = False
            if line.startswith(_PYTHON):
                self._is_python = True
            elif _GO.match(line):
                self._is_go = True
            self._lines.append(line)
            self._end, self._is_cut = end, self._is_cut or is_cut

    def flush(self) -> Iterator[Message]:
        """The message that waited, as it is."""
        if self._lines:
            yield self._over()

    def _over(self) -> Message:
        message = Message(b"\n".join(self._lines), self._end, self._is_cut)
        self._lines, self._is_cut = [], False
        return message

    def _goes_on(self, line: bytes) -> bool:
        if not self._is_joining or len(self._lines) >= LINES_MAX:
            return False
        # What is JSON is whole, and what looks like JSON begins something.
        if line.startswith(b"{") or self._lines[0].startswith(b"{"):
            return False
        if not line.strip():
            # Empty lines are inside of Python's chains and Go's traces; else they end a message.
            return self._is_python or self._is_go
        if line.startswith(_PYTHON):
            return self._is_open(self._lines[-1])
        return _CONTINUES.match(line) is not None or self._ends_trace(line)

    def _is_open(self, last: bytes) -> bool:
        """A trace belongs to the message it follows, unless that is itself a finished one."""
        return not self._is_python or not last.strip()

    def _ends_trace(self, line: bytes) -> bool:
        """`ValueError: why` right after the frames; a frame of Go is a call."""
        if self._is_go:
            return _GO_FRAME.match(line) is not None
        after_frames = self._is_python and self._lines[-1][:1] in b" \t"
        return after_frames and _EXCEPTION.match(line) is not None


def lines(data: bytes, *, is_final: bool) -> list[tuple[bytes, int, bool]]:
    """The whole lines of some bytes, with the position behind each, and whether it is cut.

    A line that is too long is cut into several. The end of the bytes waits for its line end
    unless it `is_final`.
    """
    found: list[tuple[bytes, int, bool]] = []
    start = 0
    *whole, rest = data.split(b"\n")
    for line in whole:
        last = _uncut(found, line, start)
        start += len(line) + 1
        found.append((last.removesuffix(b"\r"), start, False))
    last = _uncut(found, rest, start)
    if is_final and last:
        found.append((last, start + len(rest), False))
    return found


def _uncut(found: list[tuple[bytes, int, bool]], line: bytes, start: int) -> bytes:
    """What is left of a line after all but the last piece of it, if it is long, were added."""
    if len(line) <= LINE_BYTES_MAX:
        return line
    last = (len(line) - 1) // LINE_BYTES_MAX * LINE_BYTES_MAX
    for at in range(0, last, LINE_BYTES_MAX):
        end = at + LINE_BYTES_MAX
        found.append((line[at:end], start + end, True))
    return line[last:]
