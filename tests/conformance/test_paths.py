from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_gateway.conformance import json_path, paths, x_path
from fhir_gateway.conformance.errors import NoResource, NotSupported, ScriptError
from fhir_gateway.conformance.exchange import Content

PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "active": True,
    "name": [{"family": "Chalmers", "given": ["Peter", "James"]}, {"family": "Windsor"}],
    "extension": [{"url": "https://example.org/weight", "valueDecimal": 1.50}],
}


def content(resource: Any = PATIENT) -> Content:
    return Content(json.dumps(resource).encode(), "application/fhir+json")


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("$.name[0].family", "jsonpath"),
        ("$", "jsonpath"),
        ("fhir:Patient/fhir:id/@value", "xpath"),
        ("Patient/id", "xpath"),
        ("//fhir:family/@value", "xpath"),
        ("Patient.name.family", "fhirpath"),
        ("Patient.identifier.where(system = 'https://example.org/a').value", "fhirpath"),
        ("name.first().family", "fhirpath"),
        ("not(f:name)", "xpath"),
        ("fhir:name = 'a'", "xpath"),
        ("./f:name", "xpath"),
        ("../f:name", "xpath"),
        (".name[0].family", "jsonpath"),
        ("..family", "jsonpath"),
    ],
)
def test_what_a_path_looks_like_decides_its_language(expression: str, kind: str) -> None:
    assert paths.kind(expression) == kind


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("Patient.name.first().family", ["Chalmers"]),
        ("Patient.active", ["true"]),
        ("Patient.name.family", ["Chalmers", "Windsor"]),
        ("Patient.deceased", []),
        ("$.name[0].given[1]", ["James"]),
        ("$.name[*].family", ["Chalmers", "Windsor"]),
        ("$['name'][-1]['family']", ["Windsor"]),
        ("$..family", ["Chalmers", "Windsor"]),
        ("$.active", ["true"]),
        ("$.nothing[3]", []),
        ("fhir:Patient/fhir:name/fhir:family/@value", ["Chalmers", "Windsor"]),
        ("/fhir:Patient/fhir:id/@value", ["p1"]),
        ("//f:given/@value", ["Peter", "James"]),
        ("Patient/id", ["p1"]),
        ("fhir:name[1]/fhir:family", ["Chalmers"]),
        ("count(fhir:Patient/fhir:name)", ["2"]),
        ("fhir:Patient/fhir:active/@value = 'true'", ["true"]),
        (".name[0].given[1]", ["James"]),
        ("..family", ["Chalmers", "Windsor"]),
        # Without prefixes, whatever else stands in it.
        ("Patient/name[1]/family", ["Chalmers"]),
        ("/Patient/name[family/@value='Windsor']/family/@value", ["Windsor"]),
        ("count(Patient/name)", ["2"]),
        ("//name[last()]/family", ["Windsor"]),
        ("//*[local-name()='given'][2]/@value", ["James"]),
        # Relative to the resource, where nothing found is a value too.
        ("count(fhir:name)", ["2"]),
        ("count(name/given)", ["2"]),
        ("not(f:name)", ["false"]),
        ("boolean(f:name)", ["true"]),
        ("f:active/@value = 'true'", ["true"]),
        ("concat(f:id/@value, '/Patient')", ["p1/Patient"]),
    ],
)
def test_a_path_finds_values_as_texts(expression: str, found: list[str]) -> None:
    assert paths.at_path(expression, content()) == found


def test_decimals_keep_their_digits() -> None:
    body = b'{"resourceType":"Observation","valueQuantity":{"value":1.50}}'

    assert paths.by_fhirpath("Observation.value.value", Content(body)) == ["1.50"]


def test_an_xpath_works_on_what_came_as_xml() -> None:
    body = b'<Patient xmlns="http://hl7.org/fhir"><id value="x"/></Patient>'

    found = paths.at_path("fhir:Patient/fhir:id/@value", Content(body, "application/fhir+xml"))

    assert found == ["x"]


@pytest.mark.parametrize(
    "expression",
    [
        "$.a.length()",
        "$.a[0,1]",
        "$.a[?(@.b =~ /x/)]",
        "$.a[?match(@.b, 'x')]",
        "$.a[?(@.b == )]",
        "$.a[?(@.b",
        "$.a[?@..b == 1]",
        "$.a[?'x']",
        "$.a[?]",
        "$.a[?(@.b))]",
        "$.a[?" + "!" * 500 + "@.b]",
    ],
)
def test_jsonpath_with_functions_and_unions_is_not_supported(expression: str) -> None:
    with pytest.raises(NotSupported, match="JSONPath"):
        json_path.find(expression, {})


@pytest.mark.parametrize("expression", ["//f:bogus/@value", "Patient/bogus", "fhir:bogus"])
def test_an_xpath_sees_xml_as_it_came(expression: str) -> None:
    body = b"""\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?>
        <Patient xmlns="http://hl7.org/fhir"><id value="x"/><bogus value="y"/></Patient>"""

    assert paths.at_path(expression, Content(body, "application/fhir+xml")) == ["y"]


NAMES = {
    "name": [
        {"use": "official", "family": "A", "rank": 1, "given": ["x", "y"]},
        {"use": "old", "family": "B]", "rank": 2, "period": {"end": "2020"}},
        {"family": "C", "rank": 3, "active": True},
    ]
}


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("$.name[?(@.use=='official')].family", ["A"]),
        ("$.name[?@.use == 'official'].given[1]", ["y"]),
        ("$.name[?(@.family=='B]')].rank", [2]),
        ('$.name[?(@.use!="official")].family', ["B]", "C"]),
        ("$.name[?(@.use)].rank", [1, 2]),
        ("$.name[?!@.use].rank", [3]),
        ("$.name[?(@.rank > 1 && @.rank < 3)].rank", [2]),
        ("$.name[?(@.rank >= 2)].rank", [2, 3]),
        ("$.name[?(@.rank <= 1 || @.active == true)].rank", [1, 3]),
        ("$.name[?(@.active == 1)].rank", []),
        ("$.name[?(@.rank > '1')].rank", []),
        ("$.name[?(!(@.use == 'old' || @.use == 'official'))].rank", [3]),
        ("$.name[?(@.period.end < '2021')].rank", [2]),
        ("$.name[?(@.given[0] == 'x')].rank", [1]),
        ("$.name[?(@['family'] == 'C')].rank", [3]),
        ("$..[?(@.end == '2020')].end", ["2020"]),
        ("$.name[?(@.nothing == 'x')].rank", []),
        ("$.name[0:2].rank", [1, 2]),
        ("$.name[1:].rank", [2, 3]),
        ("$.name[:1].rank", [1]),
        ("$.name[-1:].rank", [3]),
        ("$.name[::2].rank", [1, 3]),
    ],
)
def test_jsonpath_filters_and_slices(expression: str, found: list[Any]) -> None:
    assert json_path.find(expression, NAMES) == found


@pytest.mark.parametrize("expression", ["fhir:Patient/[", "@value\x1f", "//\ud800"])
def test_what_is_not_xpath_1_is_an_error_of_the_script(expression: str) -> None:
    with pytest.raises(ScriptError, match="XPath"):
        x_path.find(expression, content())


def test_an_unknown_function_of_xpath_is_not_supported() -> None:
    with pytest.raises(NotSupported, match="XPath"):
        x_path.find("matches(//fhir:id/@value, 'p')", content())


def test_what_is_not_fhirpath_is_an_error_of_the_script() -> None:
    with pytest.raises(ScriptError, match="FHIRPath"):
        paths.by_fhirpath("Patient.name.(", content())


@pytest.mark.parametrize(
    ("body", "media_type", "why"),
    [
        (b"", "", "The body is empty"),
        (b"<html/>", "text/html", "It is text/html"),
        (b"<Patient/>", "application/fhir+xml", "not FHIR"),
        (b"<Patient", "application/fhir+xml", "not well-formed XML"),
        (b"{", "application/json", "Not valid JSON at line 1"),
        (b"{}", "application/json", "no resourceType"),
        (b'{"a": 1, "a": 2}', "application/json", "the same key twice"),
        (b"[]", "application/json", "neither a JSON object"),
        (b"\xff", "", "It is of no type"),
    ],
)
def test_what_holds_no_resource_has_nothing_to_look_into_and_says_why(
    body: bytes, media_type: str, why: str
) -> None:
    with pytest.raises(NoResource, match=why):
        paths.by_fhirpath("Patient.id", Content(body, media_type))


@given(st.text(max_size=60))
def test_any_path_gives_texts_or_says_why_not(expression: str) -> None:
    try:
        found = paths.at_path(expression, content())
    except (ScriptError, NotSupported):
        return
    assert all(isinstance(one, str) for one in found)
