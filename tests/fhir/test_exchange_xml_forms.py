"""Questionnaires in XML take the form that JSON has."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fhir_gateway.fhir import exchange_xml

FORM = b"""<?xml version="1.0"?>
<Questionnaire xmlns="http://hl7.org/fhir">
  <!-- a comment -->
  <id value="q"/>
  <text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"><p>Hi</p></div></text>
  <contained><ValueSet><id value="vs"/><compose><include><system value="s"/>
    <concept><code value="a"/></concept></include></compose></ValueSet></contained>
  <subjectType value="Patient"/>
  <item>
    <extension url="http://hl7.org/fhir/StructureDefinition/minValue">
      <valueDate><extension url="http://hl7.org/fhir/StructureDefinition/cqf-calculatedValue">
        <valueExpression><language value="text/fhirpath"/>
          <expression value="today()"/></valueExpression>
      </extension></valueDate>
    </extension>
    <linkId value="a"/>
    <code><system value="s"/><code value="c"/></code>
    <text value="Name"><extension url="x"><valueString value="y"/></extension></text>
    <type value="quantity"/>
    <enableWhen><question value="b"/><operator value="="/><answerBoolean value="true"/></enableWhen>
    <required value="true"/>
    <maxLength value="5"/>
    <initial><valueQuantity><value value="1.50"/><unit value="kg"/></valueQuantity></initial>
  </item>
</Questionnaire>"""


def test_elements_take_the_form_that_json_has() -> None:
    form = exchange_xml.parse(FORM)
    assert form["resourceType"] == "Questionnaire"
    assert form["subjectType"] == ["Patient"]
    assert form["contained"][0]["compose"]["include"][0]["concept"] == [{"code": "a"}]
    assert form["text"]["div"].startswith("<div")
    item = form["item"][0]
    assert item["code"] == [{"system": "s", "code": "c"}]
    assert (item["required"], item["maxLength"]) == (True, 5)
    assert item["text"] == "Name"
    assert item["_text"]["extension"] == [{"url": "x", "valueString": "y"}]
    assert item["enableWhen"] == [{"question": "b", "operator": "=", "answerBoolean": True}]
    amount = item["initial"][0]["valueQuantity"]["value"]
    assert isinstance(amount, Decimal)
    assert str(amount) == "1.50"
    expression = item["extension"][0]["_valueDate"]["extension"][0]["valueExpression"]
    assert expression["expression"] == "today()"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<a/>",
        b'<Questionnaire xmlns="http://example.org"/>',
        b'<Questionnaire xmlns="http://hl7.org/fhir"><id value="a"></Questionnaire>',
        b'<!DOCTYPE x [<!ENTITY e "boom">]><Questionnaire xmlns="http://hl7.org/fhir">'
        b"<title>&e;</title></Questionnaire>",
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><Questionnaire xmlns="http://hl7.org/fhir"/>',
        b'<Questionnaire xmlns="http://hl7.org/fhir">'
        + b"<item>" * 300
        + b"</item>" * 300
        + b"</Questionnaire>",
    ],
)
def test_what_is_not_plain_fhir_xml_is_refused(data: bytes) -> None:
    with pytest.raises(exchange_xml.XmlRefused):
        exchange_xml.parse(data)
