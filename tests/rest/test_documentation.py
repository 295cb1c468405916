"""What the CapabilityStatement says in words is so."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime

import pytest

from fhir_gateway.fhir.search.parameters import TYPES
from fhir_gateway.fhir.search.query import SearchRefused
from fhir_gateway.fhir.search.reading import Reading, read_query
from fhir_gateway.rest import documentation, task_rules
from tests.rest.write_world import Writing

READING = Reading(
    [lambda what, value: hashlib.sha256(f"{what}{value}".encode()).hexdigest()],
    datetime(2026, 11, 25, tzinfo=UTC),
)
MODIFIERS = ("not", "text", "exact", "contains", "identifier", "below", "above", "in", "missing")


def taken(resource_type: str, name: str, modifier: str) -> bool:
    """Whether a search takes a modifier."""
    value = "true" if modifier == "missing" else "x"
    try:
        read_query(resource_type, [(f"{name}:{modifier}", value)], READING, strict=True)
    except SearchRefused as error:
        return error.issue != "not-supported"
    return True


@pytest.mark.parametrize("resource_type", sorted(set(TYPES) - {"AuditEvent"}))
def test_each_parameter_takes_the_modifiers_it_names_and_no_other(resource_type: str) -> None:
    for parameter in TYPES[resource_type].values():
        said = set(re.findall(r":([a-z]+)\b", documentation.of_parameter(parameter)))
        works = {m for m in MODIFIERS if taken(resource_type, parameter.name, m)}
        assert said == works, parameter.name
        named = ":[type]" in documentation.of_parameter(parameter)
        assert named == taken(resource_type, parameter.name, "Patient")


def test_a_client_that_has_the_statement_alone_learns_the_contract_of_the_inbox(
    world: Writing,
) -> None:
    (rest,) = world.get("metadata", provider=None).json()["rest"]
    assert "POST" in rest["documentation"]
    by_type = {resource["type"]: resource for resource in rest["resource"]}
    told = by_type["Task"]["documentation"]
    for element in task_rules.WRITABLE:
        assert element in told
    for before, after in task_rules.TRANSITIONS.items():
        assert f"{before} → {', '.join(sorted(after)) or 'nothing'}" in told
    for name in documentation.RESOURCES:
        assert by_type[name]["documentation"]
    for resource in by_type.values():
        assert all("odifiers" in one["documentation"] for one in resource["searchParam"])
