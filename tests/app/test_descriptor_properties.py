"""Whatever stands in the file: an answer with places in the file, and never a traceback."""

import re
from datetime import timedelta

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from steerway.app import descriptor
from steerway.app.descriptor import ServiceFile
from steerway.app.descriptor_advice import missing, warnings
from steerway.app.descriptor_declared import declared
from steerway.platform.descriptor.errors import DescriptorInvalid
from steerway.platform.descriptor.explaining import explain
from steerway.platform.descriptor.problems import Problem
from steerway.platform.descriptor.section import duration, duration_text, size, size_text
from tests.app.descriptors.kit import KIT

LINES = KIT.splitlines(keepends=True)
PIECES = [
    *("\t", "  ", "\n", ":", ": ", "- ", "[", "]", "{", "}", "&a ", "*a", "<<: ", "!!str ", "|\n"),
    *('"', "'", "#", " #", "no", "yes", "~", "null", "0700", "0x1f", "1e400", ".nan", "1:30", "%"),
    *(
        "---\n",
        "...\n",
        "? ",
        "@",
        "`",
        "\\",
        "\r",
        "\r\n",
        "é",
        "\u2028",
        "\ufeff",
        "\x00",
        "=",
        ",",
    ),
    *("replicas", "name: production", "environments:", "run:", "run: null", "${PORT}", "-1", "2.5"),
]
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(PIECES),
)
keys = st.one_of(
    st.sampled_from(["steerway", "service", "run", "command", "environments", "name", "release"]),
    st.text(max_size=8),
    st.integers(),
)
documents = st.recursive(
    scalars,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(keys, below, max_size=5),
    max_leaves=25,
)
slow = settings(deadline=timedelta(seconds=2), max_examples=300)


def answer(source: str | bytes) -> None:
    """Load and use it; where it is refused, hold every place against the text."""
    try:
        use(descriptor.load(source))
    except DescriptorInvalid as invalid:
        hold_against(_lines(source), invalid.problems)


def use(loaded: ServiceFile) -> None:
    """Everything that is made of a good descriptor."""
    for environment in loaded.environments:
        explain(loaded, environment.name)
    declared(loaded, directory="/srv/shop")
    missing(loaded)
    warnings(loaded)


def hold_against(lines: list[str], problems: tuple[Problem, ...]) -> None:
    """Places are in the file and in order; a sentence is one line."""
    assert problems
    assert list(problems) == sorted(problems, key=lambda p: (p.line, p.column))
    for problem in problems:
        assert 1 <= problem.line <= len(lines)
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
        assert "\n" not in str(problem)


def _lines(source: str | bytes) -> list[str]:
    if isinstance(source, str):
        source = source.encode("utf-8", "surrogatepass")
    return re.split(r"\r\n|\r|\n", source.decode("utf-8-sig", "replace"))


@slow
@given(st.text())
def test_any_text_is_answered(text: str) -> None:
    answer(text)


@slow
@given(st.binary())
def test_any_bytes_are_answered(content: bytes) -> None:
    answer(content)


@slow
@given(documents)
@example({"environments": "\n"})
@example({"owners": "two\nlines"})
def test_any_yaml_is_answered(document: object) -> None:
    answer(yaml.safe_dump(document, allow_unicode=True))


@slow
@given(st.integers(0, len(KIT)), st.sampled_from(PIECES), st.integers(0, 6))
def test_a_piece_put_anywhere_into_a_good_descriptor_is_answered(
    place: int, piece: str, replaced: int
) -> None:
    answer(KIT[:place] + piece + KIT[place + replaced :])


@slow
@given(st.data())
def test_lines_moved_lost_or_doubled_are_answered(data: st.DataObject) -> None:
    lines = list(LINES)
    for _ in range(data.draw(st.integers(1, 4))):
        index = data.draw(st.integers(0, len(lines) - 1))
        line = lines.pop(index)
        for _ in range(data.draw(st.integers(0, 2))):
            lines.insert(data.draw(st.integers(0, len(lines))), line)

    answer("".join(lines))


@slow
@given(st.integers(0, len(LINES) - 1), scalars)
def test_any_value_in_any_line_is_answered(index: int, value: object) -> None:
    key, found, _ = LINES[index].partition(":")
    written = yaml.safe_dump(value, allow_unicode=True, default_style='"').splitlines()[0]
    lines = [*LINES[:index], f"{key}{found} {written}\n", *LINES[index + 1 :]]

    answer("".join(lines))


@given(st.timedeltas(timedelta(0), timedelta(days=30)))
def test_a_duration_is_read_as_it_was_written(value: timedelta) -> None:
    whole = timedelta(milliseconds=value // timedelta(milliseconds=1))

    assert duration(duration_text(whole)) == whole


@given(st.integers(0, 999 * 10**12))
def test_a_size_is_read_as_it_was_written(value: int) -> None:
    assert size(size_text(value)) == value
