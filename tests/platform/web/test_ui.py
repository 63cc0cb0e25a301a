"""The tags that pages are made of, and what they keep out."""

import os
from pathlib import Path

import pytest
from django.template import Context, Template

from tests.cast import NOON

SRC = Path(__file__).parents[3] / "src" / "steerway"
LINES_MAX = 400


def render(text: str, **context: object) -> str:
    return Template("{% load ui %}" + text).render(Context({"now": NOON, **context}))


def test_an_unknown_state_is_hatched() -> None:
    assert 'class="pill unknown"' in render("{% badge state %}", state="never heard of")


def test_what_moves_says_so() -> None:
    assert 'class="pill info moves"' in render('{% badge "deploying" %}')


def test_a_moment_keeps_the_full_time_in_its_title() -> None:
    html = render("{% moment at %}", at=NOON)

    assert 'datetime="2026-03-02T12:00:00Z"' in html
    assert 'title="2026-03-02 12:00:00 UTC"' in html
    assert "just now" in html


def test_a_digest_is_short_and_copies_whole() -> None:
    html = render("{% digest value %}", value="sha256:" + "ab" * 32)

    assert ">abababababab<" in html
    assert f'data-copy="sha256:{"ab" * 32}"' in html


@pytest.mark.parametrize("tag", ["badge", "by", "avatar", "command", "digest", "spot"])
def test_nothing_that_people_type_becomes_markup(tag: str) -> None:
    assert "<script" not in render("{% " + tag + " value %}", value="<script>alert(1)</script>")


def test_no_page_carries_a_style_or_a_script_of_its_own() -> None:
    for template in SRC.glob("*/*/templates/**/*.html"):
        text = template.read_text()
        assert " style=" not in text, template
        assert "<style" not in text, template
        assert "onclick=" not in text, template
        assert "<script>" not in text, template


def test_no_sheet_or_script_holds_two_things() -> None:
    static = SRC / "platform" / "web" / "static"
    for file in [*static.glob("css/*.css"), *static.glob("js/*.js")]:
        assert len(file.read_text().splitlines()) <= LINES_MAX, file


def test_every_icon_named_is_in_the_sprite() -> None:
    sprite = (SRC / "platform" / "web" / "static" / "icons.svg").read_text()
    for template in SRC.glob("*/*/templates/**/*.html"):
        for part in template.read_text().split('{% icon "')[1:]:
            assert f'id="{part.partition(chr(34))[0]}"' in sprite, template


def test_the_version_of_an_asset_changes_with_its_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steerway.platform.web.ui.STATIC", tmp_path)
    sheet = tmp_path / "a.css"
    sheet.write_text("a { color: red }")
    os.utime(sheet, (1, 1))
    before = render('{% asset "a.css" %}')

    sheet.write_text("a { color: green }")

    assert render('{% asset "a.css" %}') != before
