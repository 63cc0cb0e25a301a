"""Flag files: every mistake at once, with its line and column."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steerway.delivery.flagfiles.errors import FlagFileInvalid
from steerway.delivery.flagfiles.rules.checking import load
from steerway.delivery.flagfiles.rules.reading import SIZE_MAX, read
from steerway.delivery.flagfiles.rules.words import told
from steerway.platform.descriptor.nodes import plain

ENVIRONMENTS = ("testing", "production")
GOOD = """{
  "flags": {
    "a": {
      "state": "ENABLED",
      "variants": {"on": true, "off": false},
      "defaultVariant": "off",
      "targeting": {"if": [{"$ref": "staff"}, "on", {"fractional": [["on", 1], ["off", 9]]}]},
      "metadata": {"owner": "alice", "expires": "2026-06-30"}
    }
  },
  "$evaluators": {"staff": {"ends_with": [{"var": "email"}, "@example.com"]}},
  "$environments": {"testing": {"a": {"state": "DISABLED"}}}
}"""
# What is put in place of what, and what is said of it.
MISTAKES = [
    ('"state": "ENABLED",', '"state": "ON",', "4:16: flags.a.state: ENABLED or DISABLED"),
    ('"state": "ENABLED",', "", "3:10: flags.a.state: is missing"),
    ('"a": {\n', '"a b": {\n', '3:5: flags["a b"]: this cannot be the name of a flag'),
    ('"off": false}', '"off": 0}', "5:19: flags.a.variants: all variants are of one kind"),
    ('{"on": true, "off": false}', "{}", "5:19: flags.a.variants: a flag has 1 to 50 variants"),
    ('"defaultVariant": "off"', '"defaultVariant": "of"', "6:25: flags.a.defaultVariant: there is"),
    ('"defaultVariant"', '"defaultVarient"', "6:7: flags.a.defaultVarient: this is not known here"),
    ('"owner": "alice"', '"owner": " "', "8:29: flags.a.metadata.owner: a flag needs an owner"),
    ('"expires": "2026-06-30"', '"x": 1', "8:19: flags.a.metadata.expires: a flag needs a last"),
    ("2026-06-30", "30.6.2026", "8:49: flags.a.metadata.expires: a flag needs a last day"),
    ('"expires"', '"more": [], "expires"', "metadata.more: text, a number, true or false"),
    ('["on", 1]', '["in", 1]', "7:70: flags.a.targeting: there is no variant in"),
    ('"on", {"frac', '"up", {"frac', "7:47: flags.a.targeting: there is no variant up"),
    ('"fractional"', '"fractionel"', "there is no operator fractionel; did you mean fractional?"),
    ('"$ref": "staff"', '"$ref": "stuff"', "flags.a.targeting: there is no evaluator stuff"),
    ('{"ends_with"', '{"ends"', '11:29: ["$evaluators"].staff: there is no operator ends'),
    ('{"testing": {"a"', '{"qa": {"a"', "the descriptor has no such environment"),
    ('{"a": {"state"', '{"b": {"state"', "the file has no such flag"),
    ('{"state": "DISABLED"}', '{"variants": {}}', "testing.a.variants: this is not known here"),
    ('{\n  "flags"', '{\n  "flogs"', "flogs: this is not known here; did you mean flags?"),
    ('"targeting": {', '"targeting": [', "7:25: a comma or ] is expected"),
    ('"off",\n', '"off"\n', '7:7: a comma or } is expected, got "\\"targeting'),
    ('"off",\n', "'off',\n", 'is expected, got "\'off\',"; JSON takes "double" quotes'),
    ('"a": {', '"a": {}, "a": {', 'the key "a" is given twice; it is already in line 3'),
    ("true", "1e999", "5:26: this number is too large"),
    ("alice", "\\ud800", "stands for no character"),
    ("alice", "\\u0000", "zero byte"),
    ('DISABLED"}}}\n}', 'DISABLED"}}}\n} x', "one JSON value, and something follows it"),
    ('DISABLED"}}}\n}', 'DISABLED"}}}\n', "but the file ends here"),
]


def mistakes(text: str) -> str:
    with pytest.raises(FlagFileInvalid) as refused:
        load(text, "flags.json", ENVIRONMENTS)
    return str(refused.value)


def test_a_good_file_is_read_with_each_value_s_line() -> None:
    found = load(GOOD, "flags.json", ENVIRONMENTS)

    assert found.document == json.loads(GOOD)
    assert found.written["flags.a.metadata.owner"] == "alice"
    assert found.lines["flags.a.metadata.owner"] == 8
    assert found.written['flags.a.targeting.if[0]["$ref"]'] == "staff"


@pytest.mark.parametrize(("old", "new", "said"), MISTAKES)
def test_a_mistake_is_told_where_it_is(old: str, new: str, said: str) -> None:
    assert old in GOOD

    assert said in mistakes(GOOD.replace(old, new, 1))


def test_all_mistakes_are_told_at_once() -> None:
    text = GOOD.replace("ENABLED", "ON").replace('"owner": "alice"', '"owner": 1')

    assert len(mistakes(text).splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1:1: a value is expected, but the file ends here"),
        ("[]", "a mapping is expected"),
        ("{", "a key in quotes is expected, but the file ends here"),
        ("[" * 5_000, "nested more than"),
        ('{"flags": ' + "[" * 5_000 + "]" * 5_000 + "}", "nested more than"),
        (" " * (SIZE_MAX + 1), "characters"),
        ('{"flags": {' + ",".join(f'"f{n}": 1' for n in range(1_001)) + "}}", "at most 1000 flags"),
    ],
)
def test_a_file_that_is_none_or_without_end_is_refused(text: str, said: str) -> None:
    assert said in mistakes(text)


def test_rules_that_nest_too_deep_or_multiply_are_refused_with_their_place() -> None:
    deep: Any = True
    for _ in range(62):
        deep = {"!": [deep]}
    bombs = {f"e{n}": {"and": [{"$ref": f"e{n - 1}"}] * 9} for n in range(1, 9)}
    whole = json.loads(GOOD)

    whole["flags"]["a"]["targeting"] = deep
    assert "flags.a.targeting: operations lie more than 60 deep" in mistakes(json.dumps(whole))
    whole["flags"]["a"]["targeting"] = {"if": [{"$ref": "e8"}, "on", "off"]}
    whole["$evaluators"] |= {"e0": {"!": 1}, **bombs}
    assert "flags.a.targeting: these are more than 5000 operations" in mistakes(json.dumps(whole))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5),
        inner, max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


@settings(derandomize=True, max_examples=50, deadline=None, database=None)
@given(value=st.dictionaries(st.text("ab", max_size=3), JSON, max_size=4), indent=st.integers(0, 3))
def test_json_is_read_as_python_reads_it(value: Any, indent: int) -> None:
    found, problems = read(json.dumps(value, indent=indent or None), "x")

    assert problems == []
    assert found is not None
    assert plain(found) == value


@settings(derandomize=True, max_examples=150, deadline=None, database=None)
@given(text=st.text('{}[]:,"\\ \n01.e-tfnulra$', max_size=30))
def test_no_text_is_read_that_python_refuses(text: str) -> None:
    found, problems = read(text, "x")

    try:
        expected = json.loads(text)
    except ValueError:
        expected = None
    assert (found is not None and not problems) <= isinstance(expected, dict)
    assert found is None or plain(found) == expected or problems


@pytest.mark.parametrize(
    ("rule", "lines"),
    [
        (None, [("Everybody", "off")]),
        ({"fractional": [["on", 1], ["off", 3]]}, [("Everybody", "25 % on, 75 % off")]),
        (
            {"if": [{"==": [{"var": "plan"}, "pro"]}, "on"]},
            [('When plan is "pro"', "on"), ("Everybody else", "off")],
        ),
        (
            {"if": [{"and": [{"var": "a"}, {"!": {"var": "b"}}]}, "on", "off"]},
            [("When a and not (b)", "on"), ("Everybody else", "off")],
        ),
        (
            {"if": [{"in": [{"var": "c"}, ["x", "y"]]}, {"fractional": [["on", 1]]}, "off"]},
            [('When c is one of ["x", "y"]', "100 % on"), ("Everybody else", "off")],
        ),
        (
            {"if": [{"sem_ver": [{"var": "v"}, ">=", "2.0.0"]}, "on", None]},
            [("When version v >= 2.0.0", "on"), ("Everybody else", "off")],
        ),
        (
            {"if": [{"$ref": "staff"}, "on", "off"]},
            [('When staff (email ends with "@x")', "on"), ("Everybody else", "off")],
        ),
        (
            {"starts_with": [{"var": "a"}, "b"]},
            [("Everybody", 'the variant that this says: a starts with "b"')],
        ),
    ],
)
def test_rules_are_told_in_words(rule: Any, lines: list[tuple[str, str]]) -> None:
    written = {"state": "ENABLED", "defaultVariant": "off", "targeting": rule}

    assert told(written, {"staff": {"ends_with": [{"var": "email"}, "@x"]}}) == lines


@settings(derandomize=True, max_examples=50, deadline=None, database=None)
@given(rule=JSON)
def test_any_rule_can_be_told(rule: Any) -> None:
    assert told({"state": "ENABLED", "targeting": rule}, {})
