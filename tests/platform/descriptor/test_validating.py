"""Every kind of error has a human sentence."""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

import pytest
from pydantic import Field

from steerway.platform.descriptor.reading import read
from steerway.platform.descriptor.section import Section
from steerway.platform.descriptor.sensitive import holds_password, is_sensitive
from steerway.platform.descriptor.validating import validate


class Colour(StrEnum):
    """One of two."""

    RED = "red"
    GREEN = "green"


class Cat(Section):
    """One alternative."""

    kind: Literal["cat"] = "cat"
    lives: int = Field(default=9, ge=1, le=9)


class Dog(Section):
    """The other one."""

    kind: Literal["dog"]
    name: str = ""


class Zoo(Section):
    """Fields of every kind."""

    colour: Colour = Colour.RED
    above: Annotated[float, Field(gt=0, lt=1)] = 0.5
    even: Annotated[int, Field(multiple_of=2)] = 2
    least: Annotated[int, Field(ge=3)] = 3
    most: Annotated[int, Field(le=3)] = 3
    flag: bool = False
    words: Annotated[list[str], Field(min_length=1, max_length=2)] = []
    pairs: dict[str, int] = {}
    few: Annotated[dict[str, int], Field(max_length=1)] = {}
    pair: tuple[int, str] = (1, "")
    unique: set[int] = set()
    sequence: Sequence[int] = ()
    short: Annotated[str, Field(min_length=2, max_length=4)] = "ab"
    pattern: Annotated[str, Field(pattern="^x+$")] = "x"
    decimal: Decimal = Decimal(0)
    uuid: UUID = UUID(int=0)
    either: int | Literal["auto", "none"] = 1
    perhaps: Cat | Literal["none"] = "none"
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] = Cat()
    maybe: int | None = None
    literal: Literal[1] = 1


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("colour: rde", 'colour: "red" or "green" is expected, got "rde"; did you mean "red"?'),
        ("above: 0", "above: a number above 0 and below 1 is expected, got 0"),
        ("even: 3", "even: a whole number is expected, got 3"),
        ("least: 1", "least: a whole number of at least 3 is expected, got 1"),
        ("most: x", 'most: a whole number up to 3 is expected, got "x"'),
        ("flag: yes", 'flag: true or false is expected, got "yes"; write true'),
        ("flag: off", 'flag: true or false is expected, got "off"; write false'),
        ("flag: 1", "flag: true or false is expected, got 1"),
        ("words: []", "words: a list of 1 to 2 items is expected, got an empty list"),
        ("words: [a, b, c]", "words: a list of 1 to 2 items is expected, got a list of 3"),
        (
            "words: {a: b}",
            "words: a list is expected, got a mapping; start each item of the list with -",
        ),
        ("words: [1]", 'words[0]: text is expected, got 1; put it in quotes: "1"'),
        ("pairs: {a: b}", 'pairs.a: a whole number is expected, got "b"'),
        ("pairs: x", 'pairs: a mapping is expected, got "x"'),
        ("few: {a: 1, b: 2}", "few: a mapping of at most 1 keys is expected, got a mapping"),
        ("pair: [1]", "pair[1]: this key is required: text"),
        ("pair: [x, y]", 'pair[0]: a whole number is expected, got "x"'),
        ("short: a", 'short: text of 2 to 4 characters is expected, got "a"'),
        ("short: abcde", 'short: text of 2 to 4 characters is expected, got "abcde"'),
        ("pattern: y", 'pattern: text that matches ^x+$ is expected, got "y"'),
        (
            "either: autoo",
            'either: "auto", "none" or a whole number is expected, got "autoo"; '
            'did you mean "auto"?',
        ),
        ("either: 1.5", 'either: "auto", "none" or a whole number is expected, got 1.5'),
        ("perhaps: {lives: 10}", "perhaps.lives: a whole number from 1 to 9 is expected, got 10"),
        ("perhaps: {live: 1}", 'perhaps.live: there is no such key; did you mean "lives"?'),
        (
            "perhaps: non",
            'perhaps: "none" or a mapping is expected, got "non"; did you mean "none"?',
        ),
        ("pet: {kind: cow}", 'pet: kind must be "cat" or "dog"'),
        ("pet: {kind: cat, lives: 0}", "pet.lives: a whole number from 1 to 9 is expected, got 0"),
        ("pet: {}", "pet: the key kind is required here"),
        ("maybe: x", 'maybe: a whole number is expected, got "x"'),
        ("literal: 2", "literal: 1 is expected, got 2"),
        ("uuid: x", 'uuid: text is expected, got "x"'),
    ],
)
def test_each_mistake_has_one_sentence(written: str, said: str) -> None:
    root, problems = read(f"{written}\n", "zoo.yaml")
    assert root is not None
    assert not problems

    section, mistakes = validate(Zoo, root, "zoo.yaml")

    assert section is None
    assert [str(mistake.problem).split(": ", 1)[1] for mistake in mistakes] == [said]


@pytest.mark.parametrize(
    ("name", "sensitive"),
    [
        ("PAYMENT_KEY", True),
        ("dbPassword", True),
        ("GITHUB_TOKEN", True),
        ("AWS_SECRET_ACCESS_KEY", True),
        ("apiKey", True),
        ("PUBLIC_KEY", False),
        ("KEYBOARD", False),
        ("MONKEY", False),
        ("LOG_LEVEL", False),
        ("TOKENIZER", False),
    ],
)
def test_names_of_secrets_are_known_by_their_words(name: str, sensitive: bool) -> None:
    assert is_sensitive(name) is sensitive


def test_an_address_with_a_password_is_a_secret() -> None:
    assert holds_password("postgres://shop:hunter2@db/shop")
    assert not holds_password("postgres://shop:${PASSWORD}@db/shop")
    assert not holds_password("postgres://db/shop")
