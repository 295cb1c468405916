"""Expansion of value sets from what is at hand."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_gateway.fhir.registry import Registry
from fhir_gateway.fhir.terminology import NotExpandable, expand

COLOURS = {
    "resourceType": "CodeSystem",
    "url": "urn:colours",
    "content": "complete",
    "concept": [
        {"code": "red", "display": "Red", "concept": [{"code": "pink", "display": "Pink"}]},
        {"code": "blue"},
    ],
}
WARM = {
    "resourceType": "ValueSet",
    "url": "urn:warm",
    "compose": {"include": [{"system": "urn:colours", "concept": [{"code": "red"}]}]},
}
REGISTRY = Registry([COLOURS, WARM])


def value_set(**compose: Any) -> dict[str, Any]:
    return {"resourceType": "ValueSet", "url": "urn:tried", "compose": compose}


def codes(resource: dict[str, Any], registry: Registry = REGISTRY) -> list[str]:
    return [coding["code"] for coding in expand(resource, registry.resolve)]


def test_a_whole_code_system_is_listed_parents_first() -> None:
    found = expand(value_set(include=[{"system": "urn:colours"}]), REGISTRY.resolve)
    assert found == [
        {"system": "urn:colours", "code": "red", "display": "Red"},
        {"system": "urn:colours", "code": "pink", "display": "Pink"},
        {"system": "urn:colours", "code": "blue"},
    ]


def test_listed_codes_keep_their_order_and_display() -> None:
    listed = [{"code": "blue", "display": "Sky"}, {"code": "red"}]
    found = expand(
        value_set(include=[{"system": "urn:colours", "concept": listed}]), REGISTRY.resolve
    )
    assert [(c["code"], c.get("display")) for c in found] == [("blue", "Sky"), ("red", "Red")]


def test_codes_of_a_system_elsewhere_can_be_listed() -> None:
    include = {"system": "http://snomed.info/sct", "concept": [{"code": "1", "display": "One"}]}
    assert codes(value_set(include=[include])) == ["1"]


def test_a_code_is_listed_once_and_exclusions_hold() -> None:
    all_of_them = {"system": "urn:colours"}
    assert codes(value_set(include=[all_of_them, all_of_them])) == ["red", "pink", "blue"]
    excluded = [{"system": "urn:colours", "concept": [{"code": "red"}]}]
    assert codes(value_set(include=[all_of_them], exclude=excluded)) == ["pink", "blue"]


def test_value_sets_are_imported_and_several_conditions_intersect() -> None:
    assert codes(value_set(include=[{"valueSet": ["urn:warm"]}])) == ["red"]
    both = {"system": "urn:colours", "valueSet": ["urn:warm"]}
    assert codes(value_set(include=[both])) == ["red"]


def test_an_expansion_that_is_there_is_taken_without_its_headings() -> None:
    contains = [
        {"abstract": True, "code": "h", "contains": [{"system": "s", "code": "a"}]},
        {"display": "no code"},
    ]
    resource = {"resourceType": "ValueSet", "expansion": {"contains": contains}}
    assert codes(resource) == ["a"]


@pytest.mark.parametrize(
    ("resource", "why"),
    [
        (value_set(), "neither an expansion nor"),
        (value_set(include=[{"system": "urn:colours", "filter": [{"op": "="}]}]), "by a filter"),
        (value_set(include=[{"system": "http://snomed.info/sct"}]), "are not here"),
        (value_set(include=[{"valueSet": ["urn:nowhere"]}]), "is not known here"),
    ],
)
def test_what_needs_a_terminology_server_is_said_and_never_guessed(
    resource: dict[str, Any], why: str
) -> None:
    with pytest.raises(NotExpandable, match=why) as raised:
        codes(resource)
    assert raised.value.code == "not-expandable"
    assert "urn:tried" in str(raised.value)


def test_an_incomplete_code_system_is_not_all_codes() -> None:
    fragment = {**COLOURS, "content": "fragment"}
    with pytest.raises(NotExpandable):
        codes(value_set(include=[{"system": "urn:colours"}]), Registry([fragment]))


def test_value_sets_that_import_each_other_end() -> None:
    ring = [
        {**value_set(include=[{"valueSet": ["urn:b"]}]), "url": "urn:a"},
        {**value_set(include=[{"valueSet": ["urn:a"]}]), "url": "urn:b"},
    ]
    with pytest.raises(NotExpandable, match="without end"):
        codes(ring[0], Registry(ring))


def test_too_many_codes_are_not_shown_to_anybody() -> None:
    concepts = [{"code": str(number)} for number in range(5_001)]
    with pytest.raises(NotExpandable, match="more than 5000"):
        codes(value_set(include=[{"system": "urn:x", "concept": concepts}]))
