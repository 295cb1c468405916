"""JSON or XML, by what /metadata says or by configuration."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from fhir_gateway.fhir import exchange_xml, wire
from fhir_gateway.fhir.types import Resource
from fhir_gateway.provider.endpoint import EprEndpoint, Strategy, WireFormat
from tests.epr.conftest import MakeAdapter
from tests.epr.scripted import Reply, Scripted, Seen, declared, searchset
from tests.sandbox.epr.request_bundle import request_bundle

REQUEST = str(uuid.uuid4())


def unguarded():  # type: ignore[no-untyped-def]
    return lambda: None


def in_xml(status: int, resource: Resource, **headers: str) -> Reply:
    return Reply(
        status,
        exchange_xml.dump(resource),
        {"Content-Type": f"{wire.XML};charset=utf-8", **headers},
    )


def only_xml(seen: Seen) -> Reply | None:
    """An EPR that knows no JSON."""
    if seen.path.endswith("/metadata"):
        return in_xml(200, declared(formats=("application/fhir+xml",)))
    if seen.headers.get("accept") != wire.XML:
        return Reply(406)
    if seen.method == "GET":
        empty = {k: v for k, v in searchset().items() if v}
        return in_xml(200, empty)
    if seen.headers.get("content-type") != wire.XML:
        return Reply(415)
    name = seen.path.rsplit("/", 1)[-1]
    return Reply(201, None, {"Location": f"{name}/1"})


@pytest.mark.parametrize("format", [WireFormat.AUTO, WireFormat.XML])
def test_an_epr_that_takes_xml_only_gets_xml(
    epr: Scripted, adapter: MakeAdapter, format: WireFormat
) -> None:
    epr.answer = only_xml
    endpoint = EprEndpoint(epr.base, Strategy.CREATES, format=format)
    way = adapter(endpoint)
    way.send(request_bundle(request_id=REQUEST), REQUEST, unguarded)
    sent = [exchange_xml.parse(s.body)["resourceType"] for s in epr.writes()]
    assert sent[-1] == "Provenance"
    assert len(sent) == 5


@pytest.mark.parametrize("formats", [("xml", "json"), ("json",), (), ("application/fhir+json",)])
def test_json_wherever_it_is_taken(
    epr: Scripted, adapter: MakeAdapter, formats: tuple[str, ...]
) -> None:
    epr.statement = declared(formats=formats)
    epr.answer = lambda seen: (
        Reply(201, None, {"Location": f"{seen.path.rsplit('/', 1)[-1]}/1"})
        if seen.method == "POST"
        else None
    )
    way = adapter(replace(EprEndpoint(epr.base), strategy=Strategy.CREATES))
    way.send(request_bundle(request_id=REQUEST), REQUEST, unguarded)
    assert {s.headers["content-type"] for s in epr.writes()} == {wire.JSON}
