"""Is an answer a value that its item allows: HL7 rules 18 and 26 to 31, and what it leaves out."""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import Any

import pytest

from fhir_gateway.fhir.types import Element
from tests.questionnaire.making import (
    CORE,
    SDC,
    URL,
    ask,
    codes,
    form,
    found,
    having,
    hl7_ids,
    path,
    reply,
    say,
    text,
)

UCUM = "http://unitsofmeasure.org"


def amount(value: Any, unit: str) -> Element:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


VALUES: dict[str, tuple[Element, Element]] = {
    "boolean": ({"valueBoolean": True}, {"valueBoolean": "true"}),
    "decimal": ({"valueDecimal": Decimal("1.50")}, {"valueDecimal": "1.5"}),
    "integer": ({"valueInteger": 5}, {"valueInteger": 5.5}),
    "date": ({"valueDate": "2026-02"}, {"valueDate": "2026-02-30"}),
    "dateTime": ({"valueDateTime": "2026-02-01T10:00:00Z"}, {"valueDateTime": "2026-02-01T10:00"}),
    "time": ({"valueTime": "10:00:00"}, {"valueTime": "25:00:00"}),
    "string": ({"valueString": "x"}, {"valueString": " "}),
    "text": ({"valueString": "x\ny"}, {"valueString": ""}),
    "url": ({"valueUri": "https://example.org"}, {"valueUri": "c:\\temp"}),
    "attachment": ({"valueAttachment": {"url": "https://e.org"}}, {"valueAttachment": {}}),
    "reference": ({"valueReference": {"reference": "Patient/1"}}, {"valueReference": {}}),
    "quantity": ({"valueQuantity": amount(1, "kg")}, {"valueQuantity": {"value": "1"}}),
    "choice": ({"valueCoding": {"code": "a"}}, {"valueCoding": {"system": "x"}}),
}


@pytest.mark.parametrize("kind", VALUES)
def test_each_type_takes_its_own_values_only(kind: str) -> None:
    good, malformed = VALUES[kind]
    asked = form(ask("q", kind))
    assert codes(asked, reply(say("q", good))) == []
    assert codes(asked, reply(say("q", malformed))) == ["invalid-value"]
    other = VALUES["attachment" if kind != "attachment" else "boolean"][0]
    assert codes(asked, reply(say("q", other))) == ["wrong-type"]
    assert hl7_ids(asked, reply(say("q", other))) == ["Questionnaire_QR_Item_WrongType"]


def test_an_answer_has_one_value() -> None:
    two = {"valueString": "x", "valueInteger": 1}
    assert codes(form(ask("q")), reply(say("q", two))) == ["several-values"]
    assert codes(form(ask("q")), reply(say("q", {}))) == ["no-value"]


@pytest.mark.parametrize("kind", ["string", "text", "url"])
def test_length_and_form_hold_for_every_kind_of_text(kind: str) -> None:
    rules = [*having("minLength", "Integer", 3), *having("regex", "String", "[a-z]+")]
    asked = form(ask("q", kind, maxLength=5, extension=rules))
    name = "valueUri" if kind == "url" else "valueString"
    expected = {
        "ab": ["min-length"],
        "abc": [],
        "abcde": [],
        "abcdef": ["max-length"],
        "ABC": ["regex"],
    }
    for value, said in expected.items():
        assert codes(asked, reply(say("q", {name: value}))) == said


def test_the_regex_of_an_entry_format_has_an_id_of_its_own() -> None:
    rules = [*having("regex", "String", "[a-z]+"), *having("entryFormat", "String", "abc")]
    asked = form(ask("q", extension=rules))
    assert hl7_ids(asked, reply(say("q", text("1")))) == ["QUESTIONNAIRE_QR_ITEM_STRING_REGEX_EF"]


def test_look_around_works_though_re2_cannot_read_it() -> None:
    asked = form(ask("q", extension=having("regex", "String", r"(?=.*\d)[a-z0-9]+")))
    assert codes(asked, reply(say("q", text("a1")))) == []
    assert codes(asked, reply(say("q", text("ab")))) == ["regex"]


def test_a_line_break_is_for_texts_and_counts_once() -> None:
    assert codes(form(ask("q")), reply(say("q", text("a\r\nb")))) == ["newline"]
    assert codes(form(ask("q", "text", maxLength=3)), reply(say("q", text("a\r\nb")))) == []
    assert codes(form(ask("q", "text")), reply(say("q", text("a\x00b")))) == ["control-character"]


@pytest.mark.parametrize(
    ("kind", "name", "low", "high", "values", "family"),
    [
        ("integer", "Integer", 2, 4, [1, 2, 4, 5], "INTEGER"),
        (
            "decimal",
            "Decimal",
            Decimal("0.5"),
            1,
            [0, Decimal("0.5"), 1, Decimal("1.01")],
            "DECIMAL",
        ),
        (
            "date",
            "Date",
            "2026-02",
            "2026-03-05",
            ["2026-01-31", "2026-02-01", "2026-03-05", "2026-03-06"],
            "DATE",
        ),
        (
            "time",
            "Time",
            "08:00:00",
            "09:00:00",
            ["07:59:59", "08:00:00", "09:00:00", "09:00:01"],
            "TIME",
        ),
    ],
)
def test_limits_include_themselves(
    kind: str, name: str, low: Any, high: Any, values: list[Any], family: str
) -> None:
    rules = [*having("minValue", name, low), *having("maxValue", name, high)]
    asked = form(ask("q", kind, extension=rules))
    said = [hl7_ids(asked, reply(say("q", {f"value{name}": value}))) for value in values]
    stem = f"QUESTIONNAIRE_QR_ITEM_{family}"
    assert said == [[f"{stem}_MIN"], [], [], [f"{stem}_MAX"]]


def test_a_limit_can_be_calculated() -> None:
    expression = path(f"{CORE}/cqf-calculatedValue", "today()")
    rule = {"url": f"{CORE}/maxValue", "_valueDate": {"extension": expression}}
    asked = form(ask("q", "date", extension=[rule]))
    assert codes(asked, reply(say("q", {"valueDate": "2020-01-01"}))) == []
    assert codes(asked, reply(say("q", {"valueDate": "2999-01-01"}))) == ["max-value"]


def test_decimal_places_are_counted_as_written() -> None:
    asked = form(ask("q", "decimal", extension=having("maxDecimalPlaces", "Integer", 1)))
    assert codes(asked, reply(say("q", {"valueDecimal": Decimal("1.5")}))) == []
    assert codes(asked, reply(say("q", {"valueDecimal": Decimal("1.50")}))) == [
        "max-decimal-places"
    ]


def test_quantities_are_compared_across_units_of_ucum() -> None:
    rules = [
        {"url": f"{SDC}/sdc-questionnaire-minQuantity", "valueQuantity": amount(500, "g")},
        {"url": f"{SDC}/sdc-questionnaire-maxQuantity", "valueQuantity": amount(3, "kg")},
    ]
    asked = form(ask("q", "quantity", extension=rules))
    for value, unit, said in [
        (1, "kg", []),
        (3, "kg", []),
        (3000, "g", []),
        (0.5, "kg", []),
        (499, "g", ["min-value"]),
        (4, "kg", ["max-value"]),
        (10, "[lb_av]", ["max-value"]),
        (6, "[lb_av]", []),
    ]:
        assert codes(asked, reply(say("q", {"valueQuantity": amount(value, unit)}))) == said
    other = found(asked, reply(say("q", {"valueQuantity": amount(1, "m")})))
    assert [entry.split()[:2] for entry in other] == [["warning", "not-comparable"]] * 2


def test_the_unit_is_one_of_those_offered() -> None:
    units = [
        {"url": f"{CORE}/questionnaire-unitOption", "valueCoding": {"system": UCUM, "code": c}}
        for c in ("kg", "[lb_av]")
    ]
    asked = form(ask("q", "quantity", extension=units))
    assert codes(asked, reply(say("q", {"valueQuantity": amount(1, "kg")}))) == []
    assert codes(asked, reply(say("q", {"valueQuantity": amount(1, "g")}))) == ["unit"]
    free = {"url": f"{SDC}/sdc-questionnaire-unitOpen", "valueCode": "optionsOrType"}
    asked = form(ask("q", "quantity", extension=[*units, free]))
    assert codes(asked, reply(say("q", {"valueQuantity": amount(1, "g")}))) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"contentType": "image/gif"}, []),
        ({"contentType": "IMAGE/GIF; q=1"}, []),
        ({"contentType": "image/gifx"}, ["attachment-type"]),
        ({"url": "https://example.org/a"}, ["attachment-type"]),
        ({"contentType": "image/gif", "size": 10}, []),
        ({"contentType": "image/gif", "size": 11}, ["attachment-size"]),
        ({"contentType": "image/gif", "data": base64.b64encode(b"x" * 10).decode()}, []),
        (
            {"contentType": "image/gif", "data": base64.b64encode(b"x" * 11).decode()},
            ["attachment-size"],
        ),
        ({"contentType": "image/gif", "data": "not base64"}, ["invalid-value"]),
    ],
)
def test_attachments_have_a_type_and_a_size(given: Element, said: list[str]) -> None:
    rules = [*having("mimeType", "Code", "image/gif"), *having("maxSize", "Decimal", 10)]
    asked = form(ask("q", "attachment", extension=rules))
    assert codes(asked, reply(say("q", {"valueAttachment": given}))) == said


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("Patient/1", []),
        ("https://example.org/fhir/Patient/1/_history/2", []),
        ("Practitioner/1", ["reference-type"]),
        ("https://example.org/Chicken/1", ["reference-type"]),
        ("urn:uuid:c757873d-ec9a-4326-a141-556f43239520", []),
        ("#someone", ["reference-type"]),
    ],
)
def test_references_point_to_an_allowed_type(target: str, said: list[str]) -> None:
    rule = having("questionnaire-referenceResource", "Code", "Patient")
    asked = form(ask("q", "reference", extension=rule))
    contained = [{"resourceType": "Practitioner", "id": "someone"}]
    given = reply(say("q", {"valueReference": {"reference": target}}), contained=contained)
    assert codes(asked, given) == said


@pytest.mark.parametrize(
    ("uri", "valid"),
    [
        ("Patient/1", True),
        ("urn:uuid:c757873d-ec9a-4326-a141-556f43239520", True),
        ("urn:uuid:c757873d-ec9a-4326-a141-556f43239520asdf", False),
        ("https://example.org/a b", False),
    ],
)
def test_a_url_is_a_uri(uri: str, valid: bool) -> None:
    assert (codes(form(ask("q", "url")), reply(say("q", {"valueUri": uri}))) == []) is valid


def test_a_read_only_answer_that_was_tampered_with_is_an_error() -> None:
    fixed = form(ask("q", "integer", readOnly=True, initial=[{"valueInteger": 1}]))
    assert codes(fixed, reply(say("q", {"valueInteger": 1}))) == []
    assert codes(fixed, reply(say("q", {"valueInteger": 2}))) == ["read-only"]
    assert codes(fixed, reply()) == []
    expression = "%resource.item.where(linkId='a').answer.value * 2"
    calculated = path("sdc-questionnaire-calculatedExpression", expression)
    asked = form(ask("a", "integer"), ask("q", "integer", readOnly=True, extension=calculated))
    one = say("a", {"valueInteger": 1})
    assert codes(asked, reply(one, say("q", {"valueInteger": 2}))) == []
    assert codes(asked, reply(one, say("q", {"valueInteger": 3}))) == ["read-only"]


def test_a_questionnaire_named_by_its_address_on_a_server_is_a_warning() -> None:
    asked = form(ask("q"), id="test-form")
    given = reply(questionnaire="https://server.example.org/fhir/Questionnaire/test-form")
    assert found(asked, given) == [
        "warning other-questionnaire at QuestionnaireResponse.questionnaire"
    ]


def test_what_was_populated_from_elsewhere_is_not_judged() -> None:
    expression = path("sdc-questionnaire-calculatedExpression", "%patient.name.family")
    asked = form(ask("q", readOnly=True, extension=expression))
    assert codes(asked, reply(say("q", text("Smith")))) == []


def test_the_response_itself() -> None:
    asked = form(
        ask("q"),
        subjectType=["Patient"],
        effectivePeriod={"start": "2026-01-01", "end": "2026-12-31"},
    )
    assert codes(asked, reply(subject={"reference": "Device/1"})) == ["subject-type"]
    assert codes(asked, reply(subject={"reference": "Patient/1"})) == []
    assert codes(asked, reply(status="done")) == ["status"]
    assert codes(asked, reply(authored="yesterday")) == ["authored"]
    assert hl7_ids(asked, reply(authored="2025-01-01")) == ["QUESTIONNAIRE_QR_AUTHOR_START"]
    assert hl7_ids(asked, reply(authored="2027-01-01")) == ["QUESTIONNAIRE_QR_AUTHOR_END"]
    assert codes(asked, reply(questionnaire="https://example.org/other")) == ["other-questionnaire"]
    assert found(asked, reply(questionnaire=f"{URL}|2"))[0].startswith(
        "warning other-questionnaire"
    )
    assert hl7_ids(asked, {**reply(), "questionnaire": None}) == ["Questionnaire_QR_Q_None"]
