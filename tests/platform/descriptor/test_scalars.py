"""What values mean that are written without quotes."""

import pytest

from steerway.platform.descriptor.nodes import plain
from steerway.platform.descriptor.reading import read
from steerway.platform.descriptor.scalars import NotPlain, resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((text, None) for text in ("", "~", "null", "Null", "NULL")),
        *((text, True) for text in ("true", "True", "TRUE")),
        *((text, False) for text in ("false", "False", "FALSE")),
        *((text, text) for text in ("yes", "no", "on", "off", "y", "n", "Yes", "NO")),
        *((text, text) for text in ("0700", "0o17", "0x1F", "1_000", "1:30", "190:20:30")),
        *((text, text) for text in ("2024-01-01", "2024-01-01T12:00:00Z", "1.2.3", "=", "08")),
        ("0", 0),
        ("-7", -7),
        ("+7", 7),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("9007199254740991", 9007199254740991),
    ],
)
def test_only_plain_decimals_true_false_and_null_are_not_text(text: str, value: object) -> None:
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


@pytest.mark.parametrize("text", [".nan", ".inf", "-.INF", "1e999", "9007199254740992", "9" * 5000])
def test_numbers_that_json_cannot_carry_are_refused(text: str) -> None:
    with pytest.raises(NotPlain):
        resolve(text)


def test_quotes_always_make_text() -> None:
    root, problems = read("a: 'true'\nb: \"12\"\nc: |\n  null\n", "a.yaml")

    assert root is not None
    assert not problems
    assert plain(root) == {"a": "true", "b": "12", "c": "null\n"}
