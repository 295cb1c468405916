from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_gateway.errors import Defect
from fhir_gateway.fhir import exchange_xml, wire
from fhir_gateway.fhir import json as fhir_json
from tests.sandbox.epr.request_bundle import request_bundle

PUBLISHED = sorted((Path(__file__).parents[2] / "questionnaires").glob("*.json"))


def patient(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", **more}


@pytest.mark.parametrize("file", PUBLISHED, ids=lambda file: file.stem)
def test_everything_the_gateway_publishes_survives(file: Path) -> None:
    resource = fhir_json.parse(file.read_bytes())
    assert exchange_xml.parse(exchange_xml.dump(resource)) == resource


@pytest.mark.parametrize("admin", [True, False])
def test_a_request_survives(admin: bool) -> None:
    bundle = request_bundle(request_id="6f1f0ad4-6a55-4ea8-9b0c-0d6c37e0c001", admin=admin)
    assert wire.decode(wire.encode(bundle, wire.XML)) == bundle


def test_the_order_is_that_of_the_specification() -> None:
    content = exchange_xml.dump(patient(birthDate="1984-03-05", active=True, id="1")).decode()
    assert content.index("<id ") < content.index("<active ") < content.index("<birthDate ")


def test_decimals_keep_their_digits() -> None:
    extension = [{"url": "https://x.example", "valueDecimal": Decimal("1.10")}]
    content = exchange_xml.dump(patient(extension=extension))
    assert b'value="1.10"' in content
    assert str(exchange_xml.parse(content)["extension"][0]["valueDecimal"]) == "1.10"


def test_extensions_of_primitives_survive() -> None:
    unknown = {"extension": [{"url": "https://x.example", "valueCode": "unknown"}]}
    resource = patient(
        _birthDate=unknown,
        name=[{"given": ["A", "B"], "_given": [None, unknown]}],
    )
    assert exchange_xml.parse(exchange_xml.dump(resource)) == resource


@settings(deadline=None, max_examples=60)
@given(
    st.text(
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"),
        min_size=1,
    )
)
def test_any_text_survives(text: str) -> None:
    resource = patient(name=[{"family": text}])
    assert exchange_xml.parse(exchange_xml.dump(resource)) == resource


def test_what_xml_cannot_say_is_a_defect_and_not_lost() -> None:
    with pytest.raises(Defect):
        exchange_xml.dump(patient(unheardOf="something"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<Patient",
        b"<Patient/>",
        b"<html><body>Welcome</body></html>",
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
        b'<Patient xmlns="http://hl7.org/fhir"><id value="&e;"/></Patient>',
        b'<Patient xmlns="http://hl7.org/fhir">' + b"<contact>" * 400 + b"</Patient>",
        b'<Patient xmlns="http://hl7.org/fhir">'
        + b"<extension>" * 150
        + b"</extension>" * 150
        + b"</Patient>",
        b"x" * (exchange_xml.MAX_BYTES + 1),
    ],
)
def test_hostile_or_broken_content_is_refused(content: bytes) -> None:
    with pytest.raises(exchange_xml.XmlRefused):
        exchange_xml.parse(content)


def test_what_is_unknown_is_read_leniently() -> None:
    content = (
        b'<OperationOutcome xmlns="http://hl7.org/fhir"><timestamp value="now"/>'
        b'<issue><severity value="error"/><code value="invalid"/></issue></OperationOutcome>'
    )
    assert exchange_xml.parse(content) == {
        "resourceType": "OperationOutcome",
        "timestamp": "now",
        "issue": [{"severity": "error", "code": "invalid"}],
    }


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'\xef\xbb\xbf{"resourceType": "Patient"}', "Patient"),
        (b'  <Patient xmlns="http://hl7.org/fhir"/>', "Patient"),
        (b"<html/>", None),
        (b"[]", None),
        (b'{"x": 1}', None),
        (b"", None),
        (b"OK", None),
    ],
)
def test_what_the_bytes_are_is_seen_from_the_bytes(content: bytes, kind: str | None) -> None:
    found = wire.decode(content, "text/plain")
    assert (found or {}).get("resourceType") == kind


PATIENT = b'<Patient xmlns="http://hl7.org/fhir">%s</Patient>'


@pytest.mark.parametrize(
    "content",
    [
        b"<nickname value='x'/>",
        b"<birthDate value='2000'/><birthDate value='2001'/>",
        b"<active value='yes'/>",
        b"<multipleBirthInteger value='1.5'/>",
        b"<active value='true' other='x'/>",
        b"<active other='x'/>",
        b"<x:active xmlns:x='urn:other' value='true'/>",
        b"some text",
        b"<name>text<family value='x'/></name>",
        b"<div xmlns='http://www.w3.org/1999/xhtml'/>",
        b"<text><status value='generated'/><div/></text>",
        b"<contained><Basic><code/></Basic><Basic><code/></Basic></contained>",
        b"<contained><Nonsense/></contained>",
        b"<name x='y'><family value='x'/></name>",
    ],
)
def test_what_would_be_lost_or_guessed_at_is_refused_from_those_who_keep_data_here(
    content: bytes,
) -> None:
    whole = PATIENT % content
    with pytest.raises(exchange_xml.XmlRefused):
        exchange_xml.parse(whole, strict=True)


def test_what_is_right_is_read_strictly_as_it_is_read_leniently() -> None:
    whole = PATIENT % (
        b"<id value='a'/><text><status value='generated'/>"
        b"<div xmlns='http://www.w3.org/1999/xhtml'><p>x</p></div></text>"
        b"<contained><Organization><name value='o'/></Organization></contained>"
        b"<extension url='urn:e'><valueDecimal value='1.50'/></extension>"
        b"<active value='true'/><name id='n'><family value='x'><extension url='urn:f'>"
        b"<valueBoolean value='false'/></extension></family></name>"
    )
    assert exchange_xml.parse(whole, strict=True) == exchange_xml.parse(whole)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999999", "--1", "sNaN"])
def test_what_is_no_decimal_stays_text(number: str) -> None:
    content = f"<extension url='urn:e'><valueDecimal value='{number}'/></extension>".encode()
    read = exchange_xml.parse(PATIENT % content)
    assert read["extension"][0]["valueDecimal"] == number


def test_a_document_type_is_found_in_any_encoding() -> None:
    content = (
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x><Patient xmlns="http://hl7.org/fhir"/>'
    )
    with pytest.raises(exchange_xml.XmlRefused):
        exchange_xml.parse(content.encode("utf-16"))
