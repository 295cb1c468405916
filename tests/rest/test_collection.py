"""The Postman collection of docs: it names only what is served, and all that is operated."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_gateway.rest.problem import Problem
from fhir_gateway.rest.registry import Interaction, Registry
from fhir_gateway.rest.routing import resolve
from tests.rest.write_world import Writing

COLLECTION = Path(__file__).parents[2] / "docs" / "fhir-gateway.postman_collection.json"
#: Served beside the registry.
OTHERS = {".well-known/smart-configuration", "openapi.json"}


def requests(item: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    if "request" in item:
        yield item["name"], item["request"]
    for inner in item.get("item", []):
        yield from requests(inner)


FOUND = list(requests(json.loads(COLLECTION.read_text())))


def path_of(request: dict[str, Any]) -> str:
    raw = request["url"]["raw"].removeprefix("{{fhir}}/").partition("?")[0]
    return re.sub(r"\{\{\w+\}\}", "an-id", raw)


@pytest.fixture
def registry(world: Writing) -> Registry:
    """What a whole gateway serves."""
    from fhir_gateway.rest import extract, stored, writes
    from fhir_gateway.rest.desk import Desk

    gateway, found = world.gateway, Registry()
    stored.register(found, gateway.database, gateway.parts.clock)
    extract.register(found, gateway.parts.catalogue)
    writes.register(found, Desk(gateway.parts, gateway.engine, "https://gw.example"))
    found.pages["metadata"] = lambda _: None  # type: ignore[assignment, return-value]
    return found


def test_every_request_leads_to_something(registry: Registry) -> None:
    assert len(FOUND) > 25
    for name, request in FOUND:
        path = path_of(request)
        if path in OTHERS:
            continue
        try:
            resolve(registry, request["method"], path)
        except Problem as problem:
            if path.startswith("AuditEvent"):
                continue  # served by the app from where the audit is kept
            pytest.fail(f"{name}: {request['method']} {path}: {problem.diagnostics}")


def test_every_operation_is_in_it(registry: Registry) -> None:
    paths = {path_of(request).rpartition("/")[2] for _, request in FOUND}
    assert {f"${operation.name}" for operation in registry.operations} <= paths


def test_what_can_be_created_by_a_portal_is_in_it(registry: Registry) -> None:
    created = {path_of(r) for _, r in FOUND if r["method"] == "POST"}
    for served in registry.types():
        admin = served.resource_type in ("Questionnaire", "HealthcareService")
        if Interaction.CREATE in served.handlers and not admin:
            assert served.resource_type in created


def test_bodies_are_what_they_say(registry: Registry) -> None:
    del registry
    for name, request in FOUND:
        kinds = [h["value"] for h in request["header"] if h["key"] == "Content-Type"]
        if kinds and kinds[0].endswith("json"):
            assert json.loads(request["body"]["raw"]), name
