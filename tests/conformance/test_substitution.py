from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from fhir_gateway.conformance import paths, substitution
from fhir_gateway.conformance.errors import ScriptError
from fhir_gateway.conformance.exchange import Content
from fhir_gateway.conformance.substitution import Resolve, Value


def resolve_to(text: str, *, authored: bool = False) -> substitution.Resolve:
    return lambda _name: Value(text, authored)


def test_a_text_gets_the_value() -> None:
    assert substitution.plain("/${id}/x", resolve_to("7")) == "/7/x"


def test_names_are_found_in_order() -> None:
    assert substitution.names_in("${a}-${b-1} $c ${}") == ["a", "b-1"]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_no_value_changes_the_structure_of_json(value: str) -> None:
    filled = substitution.into_json('{"a":"<${x}>"}', resolve_to(value))

    assert json.loads(filled) == {"a": f"<{value}>"}


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="￾￿")))
def test_no_value_changes_the_structure_of_xml(value: str) -> None:
    filled = substitution.into_xml('<a b="${x}"/>', resolve_to(value))

    assert etree.fromstring(filled.encode()).get("b") == value


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=40))
def test_a_value_of_a_server_within_quotes_stays_a_string(value: str) -> None:
    expression = substitution.into_expression("'${x}' = Basic.id", resolve_to(value))
    same = Content(json.dumps({"resourceType": "Basic", "id": value}).encode())

    assert paths.by_fhirpath(expression, same) == ["true"]


@pytest.mark.parametrize("value", ["true or 1 = 1", "Patient", "1 | 2", "'", "iif(true, 1)"])
def test_a_value_of_a_server_outside_quotes_is_refused(value: str) -> None:
    with pytest.raises(ScriptError, match="came from the server"):
        substitution.into_expression("entry.count() = ${x}", resolve_to(value))


@pytest.mark.parametrize("value", ["3", "-1.5", "true"])
def test_a_number_of_a_server_may_stand_outside_quotes(value: str) -> None:
    filled = substitution.into_expression("total = ${x}", resolve_to(value))

    assert filled == f"total = {value}"


def test_an_author_may_write_a_part_of_an_expression() -> None:
    filled = substitution.into_expression("Patient.${x}", resolve_to("name", authored=True))

    assert filled == "Patient.name"


def test_an_xpath_cannot_hold_a_value_with_its_quote() -> None:
    with pytest.raises(ScriptError, match="quote"):
        substitution.into_expression("//a[. = '${x}']", resolve_to("a'b"), backslash=False)


@pytest.mark.parametrize(
    "into", [substitution.plain, substitution.into_json, substitution.into_xml]
)
def test_a_text_does_not_grow_without_bounds(into: Callable[[str, Resolve], str]) -> None:
    asked: list[str] = []

    def resolve(name: str) -> Value:
        asked.append(name)
        return Value("x" * 20_000, authored=True)

    with pytest.raises(ScriptError, match="longer than"):
        into("${a} and ${a}" * 1_000_000, resolve)

    assert asked == ["a"]
