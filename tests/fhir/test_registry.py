"""Resources by canonical URL."""

from __future__ import annotations

import itertools

import pytest

from fhir_gateway.fhir.registry import Registry
from fhir_gateway.fhir.types import Resource


def made(version: str | None, resource_type: str = "ValueSet") -> Resource:
    resource: Resource = {"resourceType": resource_type, "url": "urn:vs"}
    return resource if version is None else {**resource, "version": version}


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1.0.0", "1.0.1"),
        ("1.9.0", "1.10.0"),
        ("1.0", "1.0.1"),
        ("1.0.0-beta", "1.0.0"),
        ("1.0.0-alpha", "1.0.0-beta"),
        ("1.0.0-beta.2", "1.0.0-beta.11"),
        ("0.9", "1.0.0-beta"),
        ("2025-12-31", "2026-01-01"),
        ("draft", "1"),
        ("1.²", "1.5"),
    ],
)
def test_without_a_version_the_newest_wins_in_whatever_order(older: str, newer: str) -> None:
    for order in itertools.permutations([made(older), made(newer)]):
        found = Registry(order).resolve("urn:vs")
        assert found is not None
        assert found["version"] == newer


def test_a_version_is_taken_at_its_word() -> None:
    registry = Registry([made("1.0.0"), made("2.0.0")])
    assert registry.resolve("urn:vs|1.0.0") == made("1.0.0")
    assert registry.resolve("urn:vs|3.0.0") is None
    assert registry.resolve("urn:other") is None


def test_the_same_version_replaces_and_no_url_is_passed_over() -> None:
    registry = Registry([made("1"), {**made("1"), "title": "new"}, {"resourceType": "ValueSet"}])
    assert registry.resolve("urn:vs") == {**made("1"), "title": "new"}
    assert len(list(registry.of_type("ValueSet"))) == 1


def test_types_are_listed_in_order_of_their_being_added() -> None:
    other = {"resourceType": "CodeSystem", "url": "urn:cs"}
    registry = Registry([made("2"), other, made("1")])
    assert list(registry.of_type("ValueSet")) == [made("2"), made("1")]
    assert list(registry.of_type("CodeSystem")) == [other]


def test_what_a_resource_contains_is_seen_from_within_only() -> None:
    contained = {"resourceType": "ValueSet", "id": "inner"}
    registry = Registry([made(None)])
    scoped = registry.with_contained({"contained": [contained, {"resourceType": "ValueSet"}, 5]})
    assert scoped.resolve("#inner") == contained
    assert scoped.resolve("urn:vs") == made(None)
    assert registry.resolve("#inner") is None
