"""Narratives: what a resource says, as a person reads it."""

from __future__ import annotations

import html
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from fhir_gateway.fhir import check
from fhir_gateway.fhir.narrative import narrative, renewed


def read(resource: dict[str, Any]) -> str:
    """The narrative as text, a row a line."""
    div = narrative(resource)["div"]
    etree.fromstring(div)
    lines = re.sub(r"</(?:tr|li|p)>", "\n", div.replace("</td><td>", ": "))
    return html.unescape(re.sub(r"<[^>]+>", " ", lines))


@pytest.mark.parametrize(
    ("element", "value", "line"),
    [
        ("birthDate", "1984-03-12", "Birth date: 1984-03-12"),
        ("active", True, "Active: yes"),
        ("active", False, "Active: no"),
        ("name", [{"given": ["Priya", "R"], "family": "Sharma"}], "Name: Priya R Sharma"),
        ("name", [{"text": "Priya Sharma", "family": "S"}], "Name: Priya Sharma"),
        ("telecom", [{"system": "phone", "value": "1", "use": "mobile"}], "Telecom: 1 (mobile)"),
        ("code", {"coding": [{"code": "x", "display": "Rash"}]}, "Code: Rash"),
        ("code", {"coding": [{"code": "x"}], "text": "Words"}, "Code: Words"),
        ("code", {"text": "Words"}, "Code: Words"),
        ("topic", {"system": "urn:x", "code": "c", "display": "Shown"}, "Topic: Shown"),
        ("subject", {"reference": "Patient/1"}, "Subject: Patient"),
        ("subject", {"reference": "urn:uuid:1", "display": "Priya"}, "Subject: Priya"),
        ("for", {"identifier": {"system": "urn:x", "value": "7"}}, "For: 7 (urn:x)"),
        ("address", {"line": ["1 High St"], "postalCode": "LS1"}, "Address: 1 High St, LS1"),
        ("period", {"start": "2026-01-01"}, "Period: 2026-01-01 to now"),
        ("period", {"end": "2026-01-01"}, "Period: ? to 2026-01-01"),
        ("valueInteger", 7, "Integer: 7"),
        ("score", Decimal("1.50"), "Score: 1.50"),
        ("dose", {"value": Decimal("2.5"), "unit": "mg"}, "Dose: 2.5 mg"),
        (
            "dose",
            {"value": 2, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"},
            "Dose: 2 mg",
        ),
        ("dose", {"value": 2, "system": "http://unitsofmeasure.org", "code": "mg"}, "Dose: 2 mg"),
        ("dose", {"value": 2, "comparator": "<", "unit": "mg"}, "Dose: < 2 mg"),
        ("made", {"first": "a", "second": [1, 2]}, "Made: First: a; Second: 1; Second: 2"),
        (
            "identifier",
            [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990001006"}],
            "NHS number 999 000 1006",
        ),
    ],
)
def test_every_type_is_told_in_words(element: str, value: Any, line: str) -> None:
    assert line in read({"resourceType": "Basic", element: value})


def test_what_says_nothing_to_a_reader_is_left_out() -> None:
    shown = read(
        {
            "resourceType": "Patient",
            "id": "an-id",
            "meta": {"profile": ["urn:profile"]},
            "extension": [{"url": "urn:ext", "valueString": "hidden"}],
            "_birthDate": {"id": "hidden"},
            "subject": {"reference": "urn:uuid:1"},
        }
    )
    assert shown.split() == ["Patient"]


def test_questions_and_answers_are_nested_as_they_are() -> None:
    response = {
        "resourceType": "QuestionnaireResponse",
        "item": [
            {
                "linkId": "g",
                "text": "About you",
                "item": [
                    {
                        "linkId": "a",
                        "text": "Worse?",
                        "answer": [
                            {"valueBoolean": True, "item": [{"linkId": "b", "text": "Since"}]}
                        ],
                    },
                    {"linkId": "c", "answer": [{"valueString": "x"}, {"valueString": "y"}]},
                ],
            }
        ],
    }
    assert narrative(response)["div"].endswith(
        "<ul><li>About you<ul>"
        "<li>Worse?: <b>yes</b><ul><li>Since</li></ul></li>"
        "<li>c: <b>x; y</b></li>"
        "</ul></li></ul></div>"
    )


@pytest.mark.hazard("H11")
@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"])))
def test_what_was_typed_never_becomes_markup(typed: str) -> None:
    for hostile in (typed, f"<script>{typed}", f'"><img onerror="{typed}', f"{{{{{typed}}}}}"):
        response = {
            "resourceType": "QuestionnaireResponse",
            "item": [{"linkId": "a", "text": hostile, "answer": [{"valueString": hostile}]}],
        }
        made = narrative(response)
        tree = etree.fromstring(made["div"])
        tags = {etree.QName(element).localname for element in tree.iter()}
        assert tags <= {"div", "p", "b", "ul", "li", "br"}
        assert not [e for e in tree.iter() if e.attrib]
        assert "".join(tree.itertext()).count(hostile) >= 2


def test_lines_stay_lines() -> None:
    made = narrative({"resourceType": "Basic", "note": "one\ntwo"})["div"]
    assert "one<br/>two" in made


def test_a_narrative_passes_the_check_at_the_border() -> None:
    patient: dict[str, Any] = {"resourceType": "Patient", "name": [{"family": "O'<Neil>"}]}
    assert check.problems({**patient, "text": narrative(patient)}) == []


def test_items_without_end_stop_somewhere() -> None:
    item: dict[str, Any] = {"linkId": "deepest"}
    for _ in range(50):
        item = {"linkId": "x", "item": [item]}
    made = narrative({"resourceType": "QuestionnaireResponse", "item": [item]})["div"]
    assert "deepest" not in made


def test_a_narrative_is_made_anew_when_the_data_changed() -> None:
    task = {"resourceType": "Task", "status": "requested"}
    told = {**task, "text": narrative(task)}
    changed = renewed({**told, "status": "completed"})
    assert "completed" in changed["text"]["div"]
    assert "requested" not in changed["text"]["div"]


@pytest.mark.parametrize("text", [None, {"status": "additional", "div": "<div>Mine</div>"}])
def test_only_a_generated_narrative_is_made_anew(text: dict[str, str] | None) -> None:
    task = {"resourceType": "Task", "status": "completed", **({"text": text} if text else {})}
    assert renewed(task) == task
