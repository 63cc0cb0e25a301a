"""JSON Logic: a table of rules and what they come to."""

from typing import Any

import pytest

from tests.delivery.variants.samples import decided

CART = {
    "pie": {"filling": "apple"}, "temp": 100, "tags": ["a", "b"], "zero": 0, "empty": "",
    "none": None, "people": [{"age": 30, "name": "Al"}, {"age": 17, "name": "Bo"}],
    "numbers": [1, 2, 3, 4],
}  # fmt: skip

SUM = {"+": [{"var": "current"}, {"var": "accumulator"}]}


def shown(rule: Any) -> Any:
    return decided({"cat": rule}, CART)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({"==": [1, "1"]}, "true"), ({"===": [1, "1"]}, "false"), ({"!=": [1, 2]}, "true"),
        ({"!==": [1, "1"]}, "true"), ({"===": [1, 1.0]}, "true"), ({"===": [1, True]}, "false"),
        ({"==": [None, 0]}, "false"), ({"==": [{"var": "gone"}, None]}, "true"),
        ({"==": ["a", ["a"]]}, "true"), ({"==": [True, "1"]}, "true"),
        ({"<": [1, {"var": "temp"}, 110]}, "true"), ({"<": [1, 120, 110]}, "false"),
        ({"<": ["b", "a"]}, "false"), ({"<": ["2", 10]}, "true"), ({"<": ["x", 10]}, "false"),
        ({">=": [{"var": "temp"}, 100]}, "true"), ({"<=": [1, 1, 2]}, "true"),
        ({"!": [[]]}, "true"), ({"!!": ["0"]}, "true"), ({"!": {"var": "zero"}}, "true"),
        ({"or": [{"var": "empty"}, {"var": "temp"}]}, "100"),
        ({"and": [1, {"var": "zero"}, 3]}, "0"),
        ({"if": [{"var": "zero"}, "a", {"var": "temp"}, "b", "c"]}, "b"),
        ({"if": [{"var": "zero"}, "a"]}, "null"), ({"if": "x"}, "x"), ({"?:": [True, 1, 2]}, "1"),
        ({"+": [1, "2", 3.5]}, "6.5"), ({"-": 2}, "-2"), ({"-": [5, "2"]}, "3"),
        ({"*": [2, 3]}, "6"),
        ({"/": [1, 4]}, "0.25"), ({"/": [1, 0]}, "null"), ({"%": [-5, 3]}, "-2"),
        ({"%": [5, 0]}, "null"),
        ({"min": [3, "1", 2]}, "1"), ({"max": [3, 9]}, "9"),
        ({"in": ["b", {"var": "tags"}]}, "true"), ({"in": ["pp", "apple"]}, "true"),
        ({"in": ["x", {"var": "gone"}]}, "false"), ({"in": [{"var": "empty"}, ["", "a"]]}, "true"),
        ({"cat": ["I", 1, None, True]}, "I1nulltrue"), ({"substr": ["jsonlogic", 4]}, "logic"),
        ({"substr": ["jsonlogic", -5]}, "logic"), ({"substr": ["jsonlogic", 1, 3]}, "son"),
        ({"substr": ["jsonlogic", 4, -2]}, "log"), ({"merge": [[1], 2, [3]]}, "1,2,3"),
        ({"var": "pie.filling"}, "apple"), ({"var": "tags.1"}, "b"), ({"var": ["gone", 7]}, "7"),
        ({"var": "tags.length"}, "2"), ({"var": {"cat": ["te", "mp"]}}, "100"),
        ({"var": "tags.x"}, "null"),
        ({"var": "temp.x"}, "null"), ({"var": "none"}, "null"),
        ({"map": [{"var": "numbers"}, {"*": [{"var": ""}, 2]}]}, "2,4,6,8"),
        ({"filter": [{"var": "numbers"}, {"%": [{"var": ""}, 2]}]}, "1,3"),
        ({"reduce": [{"var": "numbers"}, SUM, 0]}, "10"),
        ({"all": [{"var": "people"}, {">": [{"var": "age"}, 18]}]}, "false"),
        ({"some": [{"var": "people"}, {">": [{"var": "age"}, 18]}]}, "true"),
        ({"none": [{"var": "people"}, {"==": [{"var": "name"}, "Cy"]}]}, "true"),
        ({"all": [[], True]}, "false"), ({"missing": ["temp", "gone", "empty"]}, "gone,empty"),
        ({"missing": [["gone"]]}, "gone"), ({"missing_some": [1, ["temp", "gone"]]}, ""),
        ({"missing_some": [2, ["temp", "gone"]]}, "gone"), ({"log": "x"}, "x"),
    ],
)  # fmt: skip
def test_a_rule_comes_to(rule: Any, text: str) -> None:
    assert shown(rule) == text


def test_what_a_rule_makes_does_not_grow_without_end() -> None:
    double = {"cat": [{"var": "accumulator"}, {"var": "accumulator"}]}

    found = decided({"reduce": [{"var": "list"}, double, "a"]}, {"list": list(range(60))})

    assert found.startswith("ValueError: a rule made more than")


def test_numbers_do_not_grow_without_end() -> None:
    square = {"*": [{"var": "accumulator"}, {"var": "accumulator"}]}

    assert decided({"cat": {"reduce": [{"var": "list"}, square, 3]}}, {"list": [0] * 90}) == "inf"
