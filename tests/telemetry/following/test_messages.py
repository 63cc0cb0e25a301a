"""Which lines belong together."""

import pytest

from steerway.telemetry.following.rules import messages
from steerway.telemetry.following.rules.messages import Grouping

PYTHON = """ERROR app cannot pay
Traceback (most recent call last):
  File "app.py", line 3, in pay
    charge()
KeyError: 'card'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "app.py", line 5, in <module>
    pay()
app.errors.Refused: no card"""
JAVA = """java.lang.IllegalStateException: closed
\tat shop.Cart.add(Cart.java:17)
\tat shop.Main.main(Main.java:5)
Caused by: java.io.IOException: reset
\tat shop.Net.read(Net.java:9)
\t... 2 more"""
NODE = """TypeError: cart is undefined
    at add (/app/cart.js:3:9)
    at processTicksAndRejections (node:internal/process/task_queues:95:5)"""
GO = """panic: runtime error: index out of range [3] with length 3

goroutine 1 [running]:
main.add(0xc000012345, 0x3)
\t/app/main.go:11 +0x1d
main.main()
\t/app/main.go:5 +0x17
exit status 2"""
DOTNET = """Unhandled exception. System.InvalidOperationException: closed
   at Shop.Cart.Add() in /app/Cart.cs:line 7
   --- End of inner exception stack trace ---"""


def grouped(text: str, **options: bool) -> list[str]:
    grouping = Grouping(**options)
    lines = [(line.encode(), n, False) for n, line in enumerate(text.split("\n"))]
    found = [*grouping.add(lines), *grouping.flush()]
    return [message.text.decode() for message in found]


@pytest.mark.parametrize("trace", [PYTHON, JAVA, NODE, GO, DOTNET])
def test_a_stack_trace_is_one_message_between_its_neighbours(trace: str) -> None:
    assert grouped(f"before\n{trace}\nINFO after") == ["before", trace, "INFO after"]


def test_two_traces_of_python_are_two_messages() -> None:
    one = PYTHON.partition("\n")[2].partition("\n\n")[0]

    assert grouped(f"{one}\n{one}\nafter") == [one, one, "after"]


def test_a_trace_belongs_to_the_message_before_it() -> None:
    assert grouped(PYTHON) == [PYTHON]


def test_objects_and_plain_lines_stay_alone() -> None:
    lines = ['{"a": 1}', '{"b": 2}', "main()", "Error: x", "INFO done"]

    assert grouped("\n".join(lines)) == lines


def test_joining_can_be_off() -> None:
    assert grouped("a\n  b", is_joining=False) == ["a", "  b"]


def test_a_message_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "LINES_MAX", 3)

    assert grouped("a\n b\n c\n d\n e") == ["a\n b\n c", " d\n e"]


def test_a_message_knows_where_it_ends() -> None:
    grouping = Grouping()

    over = list(grouping.add([(b"a", 2, False), (b" b", 5, True), (b"c", 7, False)]))

    assert over == [(b"a\n b", 5, True)]
    assert grouping.may_grow
    assert list(grouping.flush()) == [(b"c", 7, False)]
