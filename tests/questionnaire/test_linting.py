"""Lint: each code is found where it belongs, and a good form has none."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_gateway.fhir.types import Element
from fhir_gateway.questionnaire import lint
from tests.questionnaire.making import CORE, ask, code, form, having, options, path, when

CALCULATED = "sdc-questionnaire-calculatedExpression"


def mentions(link_id: str) -> str:
    return f"%resource.item.where(linkId='{link_id}').answer.value"


def test_a_good_form_has_no_findings() -> None:
    asked = form(
        ask("a", "boolean"),
        ask(
            "b",
            "choice",
            answerOption=options("x", "y"),
            enableWhen=when("a", "=", answerBoolean=True),
        ),
        ask("c", "integer", readOnly=True, extension=path(CALCULATED, "%resource.item.count()")),
    )
    assert lint(asked) == []


BAD: list[tuple[str, list[Element], dict[str, Any]]] = [
    ("no-items", [], {}),
    ("no-link-id", [{"type": "string", "text": "x"}], {}),
    ("duplicate-link-id", [ask("a"), ask("a")], {}),
    ("unknown-type", [ask("a", "coding")], {}),
    ("no-text", [{"linkId": "a", "type": "string"}], {}),
    ("empty-group", [ask("a", "group")], {}),
    ("required-display", [ask("a", "display", required=True)], {}),
    ("display-with-items", [ask("a", "display", ask("b"))], {}),
    (
        "required-hidden",
        [ask("a", required=True, extension=having("questionnaire-hidden", "Boolean", True))],
        {},
    ),
    ("required-read-only", [ask("a", required=True, readOnly=True)], {}),
    ("bad-regex", [ask("a", extension=having("regex", "String", "(("))], {}),
    ("slow-regex", [ask("a", extension=having("regex", "String", "(?=a)a"))], {}),
    ("contradiction", [ask("a", maxLength=1, extension=having("minLength", "Integer", 2))], {}),
    ("max-occurs", [ask("a", extension=having("questionnaire-maxOccurs", "Integer", 2))], {}),
    ("max-size", [ask("a", "attachment", extension=having("maxSize", "Decimal", 5))], {}),
    (
        "limit-without-unit",
        [ask("a", "quantity", extension=having("minValue", "Quantity", {"value": 1}))],
        {},
    ),
    ("no-options", [ask("a", "choice")], {}),
    ("two-lists", [ask("a", "choice", answerOption=options("x"), answerValueSet="#x")], {}),
    ("value-set", [ask("a", "choice", answerValueSet="https://example.org/unknown")], {}),
    ("options-type", [ask("a", "boolean", answerOption=options("x"))], {}),
    ("initial-no-option", [ask("a", "choice", answerOption=options("x"), initial=[code("y")])], {}),
    (
        "no-enable-behavior",
        [ask("a"), ask("b", enableWhen=2 * when("a", "exists", answerBoolean=True))],
        {},
    ),
    ("enable-when-target", [ask("b", enableWhen=when("zz", "exists", answerBoolean=True))], {}),
    ("enable-when-self", [ask("b", enableWhen=when("b", "exists", answerBoolean=True))], {}),
    (
        "enable-when-later",
        [ask("a", enableWhen=when("b", "exists", answerBoolean=True)), ask("b")],
        {},
    ),
    ("enable-when-operator", [ask("a"), ask("b", enableWhen=when("a", "~", answerString="x"))], {}),
    (
        "enable-when-exists",
        [ask("a"), ask("b", enableWhen=when("a", "exists", answerString="x"))],
        {},
    ),
    ("enable-when-unequal", [ask("a"), ask("b", enableWhen=when("a", "!=", answerString="x"))], {}),
    ("enable-when-type", [ask("a"), ask("b", enableWhen=when("a", "=", answerInteger=1))], {}),
    ("bad-expression", [ask("a", extension=path(CALCULATED, "1 +"))], {}),
    ("unknown-variable", [ask("a", extension=path(CALCULATED, "%nobody"))], {}),
    ("unknown-link-id", [ask("a", extension=path(CALCULATED, mentions("zz")))], {}),
    (
        "circular",
        [
            ask("a", extension=path(CALCULATED, mentions("b"))),
            ask("b", extension=path(CALCULATED, mentions("a"))),
        ],
        {},
    ),
    ("circular", [ask("a", extension=path(CALCULATED, mentions("a")))], {}),
    (
        "circular",
        [
            ask("a", enableWhen=when("b", "exists", answerBoolean=True)),
            ask("b", enableWhen=when("a", "exists", answerBoolean=True)),
        ],
        {},
    ),
    (
        "circular",
        [ask("a", extension=path(CALCULATED, "%v"))],
        {"extension": path(f"{CORE}/variable", mentions("a"), "v")},
    ),
    (
        "circular",
        [ask("a")],
        {"extension": [*path(f"{CORE}/variable", "%w", "v"), *path(f"{CORE}/variable", "%v", "w")]},
    ),
    ("duplicate-variable", [ask("a")], {"extension": 2 * path(f"{CORE}/variable", "1", "v")}),
    ("not-a-questionnaire", [ask("a")], {"resourceType": "Patient"}),
    ("status", [ask("a")], {"status": "final"}),
    ("no-url", [ask("a")], {"url": ""}),
]


@pytest.mark.parametrize(("expected", "items", "more"), BAD, ids=[code for code, _, _ in BAD])
def test_each_mistake_is_found(expected: str, items: list[Element], more: dict[str, Any]) -> None:
    found = {finding.code: finding for finding in lint(form(*items, **more))}
    assert expected in found
    assert found[expected].text.endswith(".")
    assert found[expected].expression.startswith("Questionnaire")


def test_a_finding_says_where() -> None:
    found = lint(form(ask("g", "group", ask("a"), ask("b", "choice"))))
    assert [(f.link_id, f.expression) for f in found] == [("b", "Questionnaire.item[0].item[1]")]


def test_pages_can_refuse_an_item() -> None:
    found = lint(
        form(ask("a"), ask("b")), cannot_show=lambda i, _: "No." if i.link_id == "b" else ""
    )
    assert [(f.code, f.link_id, f.text) for f in found] == [("cannot-be-shown", "b", "No.")]
