from __future__ import annotations

import json
import re
from typing import Any

import pytest

from fhir_gateway.conformance.errors import NothingYet, NotSupported, ScriptError
from fhir_gateway.conformance.exchange import Content
from fhir_gateway.conformance.variables import Variables, is_built_in

ANSWER = Content(
    json.dumps({"resourceType": "Patient", "id": "7", "name": [{"family": "A"}]}).encode(),
    "application/fhir+json",
    (("ETag", 'W/"1"'), ("ETag", 'W/"2"')),
)


def variables(**declared: dict[str, Any]) -> Variables:
    def look(source: str | None) -> Content:
        if source in (None, "answer"):
            return ANSWER
        raise NothingYet(f"'{source}' holds nothing")

    given = {"given": "by the tester"}
    return Variables(declared, given, "run1", "https://epr.example/fhir", look)


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ({"expression": "Patient.id", "sourceId": "answer"}, "7"),
        ({"expression": "Patient.id"}, "7"),
        ({"path": "Patient/id", "sourceId": "answer"}, "7"),
        ({"path": "$.name[0].family", "sourceId": "answer"}, "A"),
        ({"headerField": "etag", "sourceId": "answer"}, 'W/"1", W/"2"'),
        ({"defaultValue": "d"}, "d"),
        ({"defaultValue": "d-${run}"}, "d-run1"),
        ({"defaultValue": "d", "expression": "Patient.gender", "sourceId": "answer"}, "d"),
        ({"defaultValue": "d", "expression": "Patient.id", "sourceId": "later"}, "d"),
        ({"defaultValue": "d", "expression": "Patient.id", "sourceId": "answer"}, "7"),
        ({"expression": "Patient.name.where(family = '${y}').family"}, "A"),
    ],
)
def test_where_a_value_comes_from(declared: dict[str, Any], value: str) -> None:
    assert variables(x=declared, y={"path": "Patient.name.family"}).value("x").text == value


@pytest.mark.parametrize(
    ("declared", "error", "said"),
    [
        ({"expression": "Patient.gender"}, ScriptError, "nothing there"),
        ({"expression": "Patient.id", "sourceId": "later"}, ScriptError, "holds nothing"),
        ({"expression": "Patient.((", "defaultValue": "d"}, ScriptError, "FHIRPath"),
        ({"defaultValue": "${x}"}, ScriptError, "by itself"),
        ({"expression": "Patient.name"}, ScriptError, "no primitive value"),
        ({"path": "$.name", "defaultValue": "d"}, ScriptError, "no primitive value"),
        ({"path": "$.id", "expression": "Patient.id"}, ScriptError, "expression and path"),
        ({"headerField": "ETag", "path": "$.id"}, ScriptError, "path and headerField"),
        ({"hint": "[id]"}, NotSupported, r"--variable x=… \(\[id\]\)"),
        ({}, NotSupported, "--variable x="),
    ],
)
def test_a_variable_without_a_value_never_goes_on(
    declared: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        variables(x=declared).value("x")


def test_what_a_server_sent_is_not_authored_and_a_default_is() -> None:
    found = variables(sent={"expression": "Patient.id"}, own={"defaultValue": "d"})

    assert not found.value("sent").authored
    assert found.value("own").authored


def test_the_tester_wins() -> None:
    assert variables(given={"defaultValue": "d"}).value("given").text == "by the tester"


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("run", "run1"),
        ("target", "https://epr.example/fhir"),
        ("C4", "[A-Za-z]{4}"),
        ("D12", "[0-9]{12}"),
        ("CD8", "[A-Za-z0-9]{8}"),
        ("UUID", "[0-9a-f-]{36}"),
        ("TODAY", r"\d{4}-\d\d-\d\d"),
        ("NOW", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"),
    ],
)
def test_what_has_a_value_by_itself_keeps_it(name: str, pattern: str) -> None:
    found = variables()

    assert is_built_in(name)
    assert re.fullmatch(pattern, found.value(name).text)
    assert found.value(name) == found.value(name)


def test_what_is_not_declared_is_an_error() -> None:
    with pytest.raises(ScriptError, match="not declared"):
        variables().value("C0")


def test_a_value_made_of_too_many_others_is_refused_at_once() -> None:
    levels = {
        f"v{n}-{i}": {"defaultValue": "".join(f"${{v{n + 1}-{j}}}" for j in range(20))}
        for n in range(7)
        for i in range(20)
    }
    last = {f"v7-{i}": {"defaultValue": ""} for i in range(20)}

    with pytest.raises(ScriptError, match="too many others"):
        variables(**levels, **last).value("v0-0")
