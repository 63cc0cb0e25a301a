"""An analysis in words, in lines and as a picture."""

from typing import Any
from xml.etree import ElementTree

import pytest

from steerway.delivery.analyses.rules import lines, picture, telling
from steerway.delivery.analyses.rules.telling import Facts

RUNNING = Facts("running", "not enough data", 5, [5, 25], ["Because."], 5)
SVG = "{http://www.w3.org/2000/svg}"


def facts(**changed: Any) -> Facts:
    values = {name: getattr(RUNNING, name) for name in Facts.__slots__}
    return Facts(**values | changed)


def metric(name: str = "errors", **changed: Any) -> dict[str, Any]:
    plain = {
        "name": name,
        "title": "Errors",
        "nearness": 0.0,
        "progress": 0.4,
        "gate_needed": True,
        "gate_passed": False,
        "requests_new": 200.0,
        "bad_new": 1.0,
        "requests_old": 800.0,
        "bad_old": 2.0,
    }
    return plain | changed


def point(second: int, percent: float = 5, answer: str = "not enough data", **of: Any) -> Any:
    found = {
        "second": second,
        "percent": percent,
        "answer": answer,
        "nearness": 0.0,
        "reasons": [f"Reason {second}."],
        "metrics": [metric(), metric("slow_p99", title="Latency, p99", bad_new=3.0)],
    }
    return found | of


def analysis(**changed: Any) -> dict[str, Any]:
    worse = point(9, 25, "worse", nearness=1.0, metrics=[metric(nearness=1.0, bad_new=40.0)])
    plain = {
        "ref": "DEP-7",
        "service": "shop",
        "environment": "production",
        "version": "v3 <bad>",
        "stable_version": "v2",
        "state": "worse",
        "answer": "worse",
        "percent": 0.0,
        "steps": [5.0, 25.0],
        "reasons": ["Worse, by errors: it fails & fails."],
        "waits_for": None,
        "paused_by": "",
        "begun_at": "2026-03-02T12:00:00Z",
        "points": [*(point(second) for second in range(1, 9)), worse],
    }
    return plain | changed


@pytest.mark.parametrize(
    ("known", "tone", "words"),
    [
        (facts(answer="", reasons=[]), "info", "Just begun"),
        (facts(), "info", "Not enough data yet"),
        (facts(answer="better or equal"), "good", "Better or equal so far"),
        (facts(answer="hold"), "warn", "Held"),
        (facts(answer="hold", paused_by="alice"), "warn", "Paused at 5 % by alice"),
        (facts(answer="hold", waits_for=25.0), "warn", "Waits until somebody approves 25 %"),
        (facts(waits_for=25.0), "info", "Not enough data yet"),
        (facts(percent=0), "info", "Compared on copies of requests"),
        (facts(percent=0, waits_for=5), "warn", "In the dark, until somebody releases it"),
        (facts(percent=100), "info", "Has everything, and is watched"),
        (facts(answer="worse"), "bad", "Worse"),
        (facts(state="worse", answer="worse", reached=25), "bad", "Worse: taken back from 25 %"),
        (facts(state="worse", reached=0), "bad", "Worse: taken back before a user reached it"),
        (facts(state="stopped", reached=0), "idle", "Stopped before a user reached it"),
        (facts(state="stopped"), "idle", "Stopped at 5 %, before an answer"),
        (facts(state="promoted"), "good", "Promoted: no sign of harm"),
        (facts(state="promoted", answer="better or equal"), "good", "Promoted: better or equal"),
    ],
)
def test_the_headline_answers_how_it_is_going(known: Facts, tone: str, words: str) -> None:
    found = telling.headline(known)

    assert (found.tone, found.words) == (tone, words)
    assert found.why


@pytest.mark.parametrize(
    ("known", "marks"),
    [
        (facts(), "now todo todo"),
        (facts(percent=25), "done now todo"),
        (facts(percent=100), "done done now"),
        (facts(state="worse", percent=0, reached=25), "done failed todo"),
        (facts(state="stopped", percent=0), "failed todo todo"),
        (facts(state="promoted", percent=100, reached=100), "done done done"),
    ],
)
def test_the_ladder_says_where_it_stands(known: Facts, marks: str) -> None:
    assert [rung.mark for rung in telling.ladder(known)] == marks.split()


@pytest.mark.parametrize(
    ("changed", "proof"),
    [
        ({}, "40 %"),
        ({"gate_passed": True}, "proven"),
        ({"gate_passed": True, "nearness": 0.6}, "-"),
        ({"gate_needed": False}, "-"),
    ],
)
def test_what_looks_worse_is_never_called_proven(changed: dict[str, Any], proof: str) -> None:
    assert telling.row(metric(**changed)).proof == proof


def test_what_nobody_has_seen_is_left_out() -> None:
    unseen = metric("saturation", requests_new=0.0, requests_old=0.0)

    assert [one.name for one in telling.rows([metric(), unseen])] == ["errors"]
    assert telling.row(unseen).new is None


def test_a_line_is_said_when_the_share_or_the_answer_changes() -> None:
    points = [point(1), point(2), point(3, answer="better or equal"), point(4, 25), point(5, 25)]

    told = lines.news(points, (0.0, ""))
    again = lines.news([point(6, 25)], told[-1][1])

    assert [text for ((text, _),), _ in told] == [
        "       5 %  Reason 1. Errors 0.50 %, stable 0.25 %.",
        "       5 %  Reason 3. Errors 0.50 %, stable 0.25 %.",
        "      25 %  Reason 4. Errors 0.50 %, stable 0.25 %.",
    ]
    assert again == []


def test_the_lines_of_where_it_stands_hold_all_of_it() -> None:
    text = ["".join(piece for piece, _ in line) for line in lines.standing(analysis())]

    assert text[0].split() == ["✓", "5", "%", "✗", "25", "%", "·", "100", "%"]
    assert text[1:3] == ["Worse: taken back from 25 %", "Worse, by errors: it fails & fails."]
    assert text[4].split() == ["Errors", "20.00", "%", "0.25", "%", "█" * 20, "100", "%", "-"]


def test_the_picture_is_drawn_within_its_sheet_and_says_the_same() -> None:
    drawn = picture.svg(analysis())

    root = ElementTree.fromstring(drawn)
    words = [text.text for text in root.iter(f"{SVG}text")]
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    assert "shop v3 <bad> beside v2 in production" in words
    assert "Worse: taken back from 25 %" in words
    assert "rolled back from here on" in words
    assert "All together 100 %" in words
    assert "v3 <bad> 20.00 %" in words
    assert "25 %" not in words  # of the ribbon: there is no room for it
    assert all(0 <= float(text.attrib["x"]) < width for text in root.iter(f"{SVG}text"))
    assert all(0 < float(text.attrib["y"]) < height for text in root.iter(f"{SVG}text"))
    assert not {one.tag.removeprefix(SVG) for one in root.iter()} & {"script", "image", "a"}
    assert "prefers-color-scheme: dark" in drawn


def test_an_analysis_without_a_second_has_a_picture_too() -> None:
    begun = analysis(points=[], state="running", answer="", percent=5.0, reasons=[])

    words = [text.text for text in ElementTree.fromstring(picture.svg(begun)).iter(f"{SVG}text")]

    assert words[1:3] == ["Just begun", "The first second is being looked at."]
