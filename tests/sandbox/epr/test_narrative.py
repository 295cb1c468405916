"""Foreign narratives are shown without anything that could do harm."""

from __future__ import annotations

import pytest

from fhir_gateway.sandbox.epr.narrative import safe_narrative


def _shown(div: str) -> str:
    return str(safe_narrative({"resourceType": "Task", "text": {"div": div}}))


def test_structure_stays_and_gets_our_look() -> None:
    div = '<div xmlns="http://www.w3.org/1999/xhtml"><p>One<br/>two</p><ul><li>A</li></ul></div>'

    assert _shown(div) == (
        '<div><p class="app-break">One<br>two</p>'
        '<ul class="nhsuk-list nhsuk-list--bullet"><li class="app-break">A</li></ul></div>'
    )


def test_the_first_cell_of_a_row_is_not_broken_within_words() -> None:
    shown = _shown("<table><tr> <td>Label</td><td>Value</td></tr></table>")

    assert "<td>Label</td>" in shown
    assert '<td class="app-break">Value</td>' in shown


@pytest.mark.parametrize(
    ("div", "forbidden"),
    [
        ("<p>x<script>alert(1)</script></p>", "alert"),
        ("<p>x<style>p{display:none}</style></p>", "display"),
        ("<p onclick='alert(1)'>x</p>", "onclick"),
        ("<p style='position:fixed'>x</p>", "style"),
        ("<p class='nhsuk-tag' id='main'>x</p>", "nhsuk-tag"),
        ("<p>x<img src='https://other.example/x.png' alt='y'/></p>", "img"),
        ("<p><a href='https://other.example'>x</a></p>", "href"),
        ("<p><a href='javascript:alert(1)'>x</a></p>", "javascript"),
        ("<p>x</p><form action='/tasks/1/status'><input name='status'/></form>", "form"),
        ("<p>x</p><iframe src='/'></iframe>", "iframe"),
        ("<p>x</p><!-- <script> -->", "script"),
        ("<p>x</p></div></main><h1>Approved</h1>", "h1"),
        ("<svg><p>x</p><script>alert(1)</script></svg>", "svg"),
        ("<p>x</p><math><mtext><table><mglyph><style><img src=x onerror=alert(1)>", "onerror"),
    ],
)
def test_nothing_active_or_foreign_is_left(div: str, forbidden: str) -> None:
    shown = _shown(div)

    assert forbidden not in shown
    assert "x" in shown


@pytest.mark.parametrize("div", ["", "<div></div>", "<div> <p/> </div>", "<script>x</script>"])
def test_a_narrative_without_text_is_none(div: str) -> None:
    assert _shown(div) == ""


@pytest.mark.parametrize("text", [None, {}, {"div": 1}, "x"])
def test_a_resource_without_a_narrative_has_none(text: object) -> None:
    assert str(safe_narrative({"resourceType": "Task", "text": text})) == ""
