"""The document of a request: everything that was answered, readable, in any script."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pypdfium2
import pytest

from fhir_gateway.mapping.document import Document, document_of
from fhir_gateway.mapping.document_pdf import pdf
from fhir_gateway.mapping.document_text import WIDTH, plain_text
from tests.mapping.forms import answer, group, response

MOMENT = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
CONTEXT: dict[str, Any] = {
    "request": {"reference": "KX7-M2P", "kindDisplay": "Medical request"},
    "service": {"name": "Rheumatology"},
    "organisation": {"name": "Example NHS Trust"},
    "identity": {"matched": False, "nhsNumber": "9990000018", "statusDisplay": "Trace required"},
    "submittedPatient": {
        "name": [{"family": "O'Neill", "given": ["Zoë"]}],
        "birthDate": "1970-03-04",
        "telecom": [{"system": "phone", "value": "07700900123"}],
    },
    "submittedRequester": {
        "name": [{"family": "Bell", "given": ["Sam"]}],
        "relationship": [{"text": "Parent"}],
        "telecom": [{"system": "email", "value": "sam@example.com"}],
    },
}


def of(*texts: str, **changes: Any) -> Document:
    items = [{**answer(f"q{i}", text), "text": f"Question {i}?"} for i, text in enumerate(texts)]
    answers = response({**group("g", *items), "text": "Your request"})
    return document_of(answers, {**CONTEXT, **changes}, MOMENT)


def pages(document: Document) -> list[str]:
    opened = pypdfium2.PdfDocument(pdf(document))
    found = []
    for page in opened:
        text = page.get_textpage()
        found.append(text.get_text_range().replace("\r\n", "\n"))
        text.close()
        page.close()
    opened.close()
    return found


def test_the_text_says_who_what_and_when() -> None:
    text = plain_text(of("My knee hurts"))
    for line in (
        "Medical request\n===============\nRheumatology, Example NHS Trust",
        "Reference:      KX7-M2P",
        "Received:       4 March 2026, 09:30",
        "Patient:        Zoë O'Neill",
        "Date of birth:  4 March 1970",
        "NHS number:     999 000 0018",
        "Identity:       NOT matched: check who this is (Trace required)",
        "Sent by:        Sam Bell (Parent), for the patient",
        "Email:          sam@example.com",
        "Question 0?\n    My knee hurts",
    ):
        assert line in text


def test_a_patient_who_wrote_is_said_so_with_their_own_contacts() -> None:
    text = plain_text(of("x", submittedRequester=[]))
    assert "Sent by:        The patient" in text
    assert "Phone:          07700900123" in text


def test_lines_are_wrapped_and_nothing_is_lost() -> None:
    words = [f"word{i}" for i in range(400)]
    text = plain_text(of(" ".join(words), "x" * 200))
    assert all(len(line) <= WIDTH + 4 or "x" * 200 in line for line in text.splitlines())
    assert [w for w in text.split() if w.startswith("word")] == words


def test_the_pdf_has_it_all_with_pages_counted() -> None:
    found = pages(of("My knee hurts", *(f"Answer number {i}. " * 20 for i in range(12))))
    whole = "\n".join(found)
    assert len(found) > 1
    for index, page in enumerate(found):
        assert f"Page {index + 1} of {len(found)}" in page
        assert "Medical request KX7-M2P" in page
    for text in ("My knee hurts", "Zoë O'Neill", "999 000 0018", "NOT matched", "Question 11?"):
        assert text in whole


@pytest.mark.parametrize(
    "typed",
    [
        "<b>not bold</b> & **stars** {{x}} %resource",
        "Mae fy mhen-glin yn brifo: ŵ ŷ, żółć",
        "привет",
    ],
)
def test_the_pdf_shows_text_as_it_was_typed(typed: str) -> None:
    assert typed in pages(of(typed))[0]


@pytest.mark.parametrize("typed", ["ركبتي تؤلمني", "הברך שלי כואבת", "😀👍🏽"])
def test_other_scripts_have_letters(typed: str) -> None:
    [page] = pages(of(typed))
    assert "\ufffd" not in page
    assert any(char in page for char in typed if char.strip())


def test_a_script_without_letters_is_marked_and_said() -> None:
    [page] = pages(of("膝盖疼"))
    assert "\ufffd" in page
    assert "plain text of the request" in " ".join(page.split())


def test_control_characters_and_long_words_do_no_harm() -> None:
    assert "x" * 30 in pages(of("a\x00b\u200e\tc", "x" * 500))[0]


def test_an_answer_beyond_reason_is_cut_and_said_and_whole_in_the_text() -> None:
    document = of("word " * 10_000 + "end")
    whole = " ".join("\n".join(pages(document)).split())
    assert "the rest is in the plain text of the request" in whole
    assert "end" in plain_text(document).split()


def test_the_same_request_is_the_same_bytes() -> None:
    assert pdf(of("x")) == pdf(of("x"))
