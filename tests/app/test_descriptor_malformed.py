"""Wrong descriptors: each says what is wrong, where, all at once, and never with a traceback."""

import re

import pytest

from steerway.app import descriptor
from steerway.platform.descriptor.errors import DescriptorInvalid
from tests.app.descriptors.cases import BASE, Case, all_cases, problems

CASES = all_cases()
BYTES = {
    "a byte that is not UTF-8": (BASE.encode() + b"description: caf\xe9\n", "5:17", "byte 0xe9"),
    "UTF-16 with a mark": (BASE.encode("utf-16"), "1:1", "UTF-16"),
    "UTF-16 without a mark": (BASE.encode("utf-16-be"), "1:1", "UTF-16"),
    "a zero byte": (BASE.encode() + b"description: a\0b\n", "5:15", "U+0000"),
    "an escape character": (BASE.encode() + b"description: \x1b[1m\n", "5:14", "U+001B"),
    "an invisible character": (f"{BASE}descr\u200biption: a\n".encode(), "5:6", "U+200B"),
    "a line break of Unicode": (f"{BASE}description: a\u2028b\n".encode(), "5:15", "U+2028"),
    "text that turns around": (f"{BASE}description: \u202eabc\n".encode(), "5:14", "U+202E"),
    "a file that is too large": (BASE.encode() + b"#" * 262_144, "1:1", "262 193 bytes"),
    "no byte at all": (b"", "1:1", "says nothing"),
    "only a byte order mark": (b"\xef\xbb\xbf", "1:1", "says nothing"),
}


def test_there_are_a_hundred_wrong_descriptors_of_different_kinds() -> None:
    assert len({case.title for case in CASES}) == len(CASES) >= 100


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_a_wrong_descriptor_is_answered_with_its_mistakes_and_their_places(case: Case) -> None:
    assert case.expected

    said = problems(case.text)

    assert said == case.expected


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_no_answer_speaks_of_our_libraries(case: Case) -> None:
    for line in problems(case.text):
        assert re.match(r"steerway\.yaml:\d+:\d+: \S", line)
        assert not re.search(
            r"pydantic|Input should|errors\.pydantic|Traceback|<class|yaml\.", line[14:]
        )


@pytest.mark.parametrize(("content", "place", "words"), BYTES.values(), ids=BYTES)
def test_bytes_that_are_no_readable_text_are_refused_with_their_place(
    content: bytes, place: str, words: str
) -> None:
    with pytest.raises(DescriptorInvalid) as refusal:
        descriptor.load(content)

    first = str(refusal.value.problems[0])
    assert first.startswith(f"steerway.yaml:{place}: ")
    assert words in first


def test_a_byte_order_mark_in_front_of_utf_8_is_no_mistake() -> None:
    loaded = descriptor.load(b"\xef\xbb\xbf" + BASE.encode())

    assert loaded.settings.service == "shop"


def test_lone_surrogates_in_a_text_are_refused() -> None:
    with pytest.raises(DescriptorInvalid, match=r"5:14: byte 0xed is not valid UTF-8"):
        descriptor.load(f"{BASE}description: \ud800\n")


def test_machines_get_the_same_in_fields() -> None:
    with pytest.raises(DescriptorInvalid) as refusal:
        descriptor.load(f"{BASE}  replica: 2\n", "shop.yaml")

    assert refusal.value.fields["problems"] == [
        {
            "file": "shop.yaml",
            "line": 5,
            "column": 3,
            "path": "run.replica",
            "message": "there is no such key",
            "hint": 'did you mean "replicas"?',
        }
    ]


def test_only_the_first_hundred_mistakes_are_told_and_that_there_are_more() -> None:
    wrong = "".join(f"k{number}: 1\n" for number in range(250))

    said = problems(BASE + wrong)

    assert len(said) == 101
    assert said[-1] == "steerway.yaml:105:1: more problems follow from here"
