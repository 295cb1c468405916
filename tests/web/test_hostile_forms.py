"""Other people's Questionnaires are data: nothing in them runs, loads or breaks a page."""

from __future__ import annotations

import pytest

from fhir_gateway.web import markdown, xhtml
from tests.web.forms import CORE, control, form, item, options
from tests.web.previewing import preview

BAD_SIZE = {"url": f"{CORE}/maxSize", "valueDecimal": "x"}
SCRIPT = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        '<img src="https://evil.example/x.png">',
        '<p onclick="alert(1)" style="position:fixed" id="maincontent" class="x">text</p>',
        '<a href="javascript:alert(1)">link</a>',
        '<iframe src="https://evil.example/"></iframe>',
        "<svg><script>alert(1)</script></svg>",
        "<form action='https://evil.example/'><input name='password'></form>",
        "<style>body { display: none }</style>",
        "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    ],
)
def test_xhtml_keeps_text_and_loses_everything_that_acts(html: str) -> None:
    cleaned = str(xhtml.clean(f"<div>before {html} after</div>")).lower()
    acts = (
        "<script onclick onerror style javascript: <iframe <form <input <img <svg id= evil.example"
    )
    for bad in acts.split():
        assert bad not in cleaned, (bad, cleaned)
    assert "before" in cleaned


def test_authors_headings_do_not_become_the_pages() -> None:
    assert "<h1" not in markdown.render("# Big\n\ntext")
    assert "<h2" in markdown.render("# Big\n\ntext")
    assert "<h1" not in xhtml.clean("<h1>Big</h1>")


def test_every_text_of_a_questionnaire_is_escaped() -> None:
    bad = item(SCRIPT, "choice", SCRIPT, prefix=SCRIPT, answerOption=options(SCRIPT), item=[
        {"linkId": "hint", "type": "display", "text": SCRIPT, "extension": [control("help")]},
        {"linkId": "note", "type": "display", "text": SCRIPT},
        {"linkId": "rich", "type": "display", "text": "x", "_text": {"extension": [
            {"url": f"{CORE}/rendering-markdown", "valueMarkdown": SCRIPT}]}},
    ])  # fmt: skip
    coding = {"code": SCRIPT, "display": SCRIPT}
    unit = {"url": f"{CORE}/questionnaire-unit", "valueCoding": coding}
    group = item("g", "group", SCRIPT, repeats=True, item=[
        item("s", "string", SCRIPT, repeats=True), item("q", "quantity", SCRIPT, extension=[unit]),
    ])  # fmt: skip
    with preview({**form(bad, group), "title": SCRIPT}) as visitor:
        for _ in range(4):
            assert "<script>alert" not in visitor.page.text
            assert "<img src=x" not in visitor.page.text
            assert visitor.page.status_code == 200
            visitor.post({})


def test_what_is_typed_is_escaped_wherever_it_comes_back() -> None:
    asks = item("q", "open-choice", repeats=True, answerOption=options("a"))
    with preview(form(asks, item("n", "integer"), item("t", "text"))) as visitor:
        visitor.post({"q": ["~other"], "q-other": [SCRIPT]})
        visitor.post({"n": [SCRIPT]})
        assert "<script>alert" not in visitor.page.text
        visitor.post({"n": ["1"]})
        visitor.post({"t": [SCRIPT]})
        assert visitor.path.endswith("/check")
        assert "<script>alert" not in visitor.page.text


@pytest.mark.parametrize(
    "item_",
    [
        {},
        {"linkId": 5, "type": ["x"]},
        {"linkId": "a", "type": "string", "text": {"x": 1}},
        {"linkId": "a", "type": "choice", "answerOption": "x", "item": "y"},
        {"linkId": "a", "type": "choice", "answerOption": [1, None, {"valueCoding": "x"}]},
        {"linkId": "a", "type": "quantity", "extension": [{"url": f"{CORE}/questionnaire-unit"}]},
        {"linkId": "a", "type": "group", "item": [None, {"type": "group"}]},
        {"linkId": "a", "type": "string", "initial": "x", "enableWhen": {"question": "a"}},
        {"linkId": "a", "type": "string", "extension": "x", "_text": "y", "maxLength": "9"},
        {"linkId": "a", "type": "attachment", "extension": [BAD_SIZE]},
    ],
)  # fmt: skip
def test_broken_items_make_no_broken_pages(item_: object) -> None:
    questionnaire = {**form(), "item": [item_, item("last", "string")]}
    with preview(questionnaire) as visitor:
        for _ in range(3):
            assert visitor.page.status_code in (200, 422)
            visitor.post({"last": ["x"]})


def test_only_browsers_of_this_machine_and_forms_of_its_pages_are_served() -> None:
    with preview(form(item("a", "string"))) as visitor:
        foreign = visitor.http.get(f"{visitor.base}/1/", headers={"host": "evil.example"})
        assert foreign.status_code == 403
        posted = visitor.http.post(
            visitor.base + visitor.form.action,
            data={"a": "x"},
            headers={"origin": "https://evil.example"},
        )
        assert posted.status_code == 403
        assert "script-src 'self' 'nonce-" in visitor.page.headers["content-security-policy"]
