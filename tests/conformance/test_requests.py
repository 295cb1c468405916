from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from fhir_gateway.conformance import requests
from fhir_gateway.conformance.addresses import Target
from fhir_gateway.conformance.errors import NotSupported, ScriptError
from fhir_gateway.conformance.exchange import Content
from fhir_gateway.conformance.substitution import Value
from fhir_gateway.fhir import wire

PATIENT = Content(b'{"resourceType":"Patient","id":"p1","active":true}', wire.JSON)


class Scope:
    """A run in which `source` is a fixture and `target` a known place."""

    base = "https://epr.example/fhir"
    media_type = wire.JSON

    def __init__(self, content: Content = PATIENT, **values: str) -> None:
        self._content = content
        self._values = values

    def resolve(self, name: str) -> Value:
        return Value(self._values[name], authored=False)

    def content(self, source_id: str) -> Content:
        return self._content

    def target(self, target_id: str) -> Target:
        return Target("Patient", "77", "3")


def built(scope: Scope | None = None, **operation: Any) -> Any:
    if "code" in operation:
        operation["type"] = {"code": operation.pop("code")}
    return requests.build(operation, scope or Scope())


@pytest.mark.parametrize(
    ("operation", "method", "path"),
    [
        ({"code": "read", "targetId": "t"}, "GET", "/Patient/77"),
        ({"code": "read", "resource": "Patient", "params": "/9"}, "GET", "/Patient/9"),
        ({"code": "read", "resource": "Patient", "params": "9"}, "GET", "/Patient/9"),
        ({"code": "vread", "targetId": "t"}, "GET", "/Patient/77/_history/3"),
        ({"code": "update", "sourceId": "s"}, "PUT", "/Patient/p1"),
        ({"code": "update", "sourceId": "s", "targetId": "t"}, "PUT", "/Patient/77"),
        ({"code": "update", "resource": "Patient", "sourceId": "s"}, "PUT", "/Patient/p1"),
        (
            {"code": "update", "resource": "Patient", "sourceId": "s", "params": "?identifier=a"},
            "PUT",
            "/Patient?identifier=a",
        ),
        ({"code": "updateCreate", "sourceId": "s"}, "PUT", "/Patient/p1"),
        ({"code": "patch", "targetId": "t", "sourceId": "s"}, "PATCH", "/Patient/77"),
        ({"code": "delete", "targetId": "t"}, "DELETE", "/Patient/77"),
        (
            {"code": "deleteCondSingle", "resource": "Patient", "params": "?identifier=a"},
            "DELETE",
            "/Patient?identifier=a",
        ),
        (
            {"code": "deleteCondMultiple", "resource": "Patient", "params": "?active=true"},
            "DELETE",
            "/Patient?active=true",
        ),
        ({"code": "deleteHistory", "targetId": "t"}, "DELETE", "/Patient/77/_history"),
        ({"code": "deleteHistoryVersion", "targetId": "t"}, "DELETE", "/Patient/77/_history/3"),
        ({"code": "create", "sourceId": "s"}, "POST", "/Patient"),
        ({"code": "create", "resource": "Patient", "sourceId": "s"}, "POST", "/Patient"),
        ({"code": "history", "targetId": "t"}, "GET", "/Patient/77/_history"),
        ({"code": "history", "resource": "Patient"}, "GET", "/Patient/_history"),
        ({"code": "history"}, "GET", "/_history"),
        (
            {"code": "history", "targetId": "t", "params": "?_count=1"},
            "GET",
            "/Patient/77/_history?_count=1",
        ),
        (
            {"code": "search", "resource": "Patient", "params": "?name=a"},
            "GET",
            "/Patient?name=a",
        ),
        ({"code": "search", "resource": "Patient", "params": "name=a"}, "GET", "/Patient?name=a"),
        ({"code": "search", "params": "?_type=Patient"}, "GET", "?_type=Patient"),
        ({"code": "batch", "sourceId": "s"}, "POST", ""),
        ({"code": "transaction", "sourceId": "s"}, "POST", ""),
        ({"code": "capabilities"}, "GET", "/metadata"),
        ({"code": "capabilities", "params": "?mode=full"}, "GET", "/metadata?mode=full"),
        (
            {"code": "validate", "resource": "Patient", "sourceId": "s"},
            "POST",
            "/Patient/$validate",
        ),
        ({"code": "everything", "targetId": "t"}, "GET", "/Patient/77/$everything"),
        (
            {"code": "everything", "resource": "Patient", "params": "/9/$everything"},
            "GET",
            "/Patient/9/$everything",
        ),
        (
            {"code": "everything", "resource": "Patient", "params": "/9"},
            "GET",
            "/Patient/9/$everything",
        ),
        (
            {"code": "expand", "resource": "ValueSet", "params": "?url=http://a.example"},
            "GET",
            "/ValueSet/$expand?url=http://a.example",
        ),
        (
            {"code": "lookup", "resource": "CodeSystem", "params": "/$lookup?code=a"},
            "GET",
            "/CodeSystem/$lookup?code=a",
        ),
        ({"code": "$reindex"}, "GET", "/$reindex"),
        ({"code": "history", "resource": "Patient", "params": "/9"}, "GET", "/Patient/9/_history"),
        (
            {"code": "history", "resource": "Patient", "params": "/9?_count=1"},
            "GET",
            "/Patient/9/_history?_count=1",
        ),
        (
            {"code": "capabilities", "resource": "CapabilityStatement", "params": "/metadata"},
            "GET",
            "/metadata",
        ),
        ({"code": "transaction", "resource": "Bundle", "sourceId": "s"}, "POST", ""),
        ({"code": "read", "sourceId": "s"}, "GET", "/Patient/77"),
        ({"method": "post", "resource": "Patient", "sourceId": "s"}, "POST", "/Patient"),
        ({"method": "get", "resource": "Patient"}, "GET", "/Patient"),
        ({"method": "get", "targetId": "t"}, "GET", "/Patient/77"),
        ({"method": "put", "sourceId": "s"}, "PUT", "/Patient/p1"),
        ({"method": "options"}, "OPTIONS", ""),
        ({"method": "head", "resource": "Patient", "params": "/1"}, "HEAD", "/Patient/1"),
        ({"code": "read", "url": "Patient/1/_history/2"}, "GET", "/Patient/1/_history/2"),
        ({"code": "read", "url": "/Patient/1"}, "GET", "/Patient/1"),
        ({"code": "search", "url": "/Patient?name=a"}, "GET", "/Patient?name=a"),
        ({"code": "read", "url": "/fhir/Patient/1"}, "GET", "/Patient/1"),
        ({"code": "read", "url": "//epr.example/fhir/Patient/1"}, "GET", "/Patient/1"),
        ({"code": "read", "url": "https://epr.example/fhir/Patient/1"}, "GET", "/Patient/1"),
    ],
)
def test_the_address_that_an_operation_means(
    operation: dict[str, Any], method: str, path: str
) -> None:
    sent = built(**operation)

    assert (sent.method, sent.url) == (method, f"{Scope.base}{path}")


def test_a_search_by_post_has_its_parameters_in_the_body() -> None:
    sent = built(code="search", method="post", resource="Patient", params="?name=a b")

    assert sent.url == f"{Scope.base}/Patient/_search"
    assert sent.body == b"name=a%20b"
    assert sent.header("content-type") == "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("params", "encode", "sent"),
    [
        ("?identifier=https://a.example|1 2", True, "?identifier=https://a.example%7C1%202"),
        ("?date=2026-01-01T00:00:00+01:00", True, "?date=2026-01-01T00:00:00%2B01:00"),
        ("?a=%20b", True, "?a=%20b"),
        ("?a=100%", True, "?a=100%25"),
        ("?a=b#c", True, "?a=b%23c"),
        ("?a=b+c", False, "?a=b+c"),
    ],
)
def test_addresses_are_encoded_unless_the_script_says_no(
    params: str, encode: bool, sent: str
) -> None:
    found = built(code="search", resource="Patient", params=params, encodeRequestUrl=encode)

    assert found.url == f"{Scope.base}/Patient{sent}"


def test_accept_and_content_type_are_the_runs_format_unless_the_script_says_so() -> None:
    by_default = built(code="create", sourceId="s")
    by_script = built(code="create", sourceId="s", accept="xml", contentType="xml")

    assert by_default.header("accept") == by_default.header("content-type") == wire.JSON
    assert by_script.header("accept") == by_script.header("content-type") == wire.XML
    assert by_script.body.startswith(b"<?xml")


def test_headers_of_the_script_replace_those_of_the_engine() -> None:
    headers = [
        {"field": "Accept", "value": "text/html"},
        {"field": "If-None-Exist", "value": "identifier=${x}"},
    ]

    sent = built(Scope(x="a|1"), code="create", sourceId="s", requestHeader=headers)

    assert sent.header("accept") == "text/html"
    assert sent.header("if-none-exist") == "identifier=a|1"


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\0b", "zoë"])
def test_a_header_that_would_break_the_request_is_an_error(value: str) -> None:
    headers = [{"field": "If-Match", "value": "${x}"}]

    with pytest.raises(ScriptError, match="If-Match"):
        built(Scope(x=value), code="read", targetId="t", requestHeader=headers)


def test_what_is_no_resource_is_sent_as_it_is() -> None:
    scope = Scope(Content(b'{"resourceType": "Patient", ', wire.JSON))

    sent = built(scope, code="create", resource="Patient", sourceId="s", contentType="json")

    assert sent.body == b'{"resourceType": "Patient", '


def test_a_json_patch_in_a_binary_is_sent_as_its_data() -> None:
    patch = b'[{"op":"replace","path":"/active","value":false}]'
    binary = {
        "resourceType": "Binary",
        "contentType": "application/json-patch+json",
        "data": base64.b64encode(patch).decode(),
    }
    scope = Scope(Content(json.dumps(binary).encode(), wire.JSON))

    sent = built(
        scope, code="patch", targetId="t", sourceId="s", contentType="application/json-patch+json"
    )

    assert (sent.body, sent.header("content-type")) == (patch, "application/json-patch+json")


def test_a_json_patch_is_sent_as_one_without_a_word() -> None:
    scope = Scope(Content(b'[{"op":"remove","path":"/active"}]', wire.JSON))

    sent = built(scope, code="patch", targetId="t", sourceId="s")

    assert sent.header("content-type") == "application/json-patch+json"


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        ({}, "neither a type nor a method"),
        ({"method": "brew"}, "no HTTP method"),
        ({"code": "read"}, "which resource"),
        ({"code": "read", "url": "mailto:a@b.example"}, "no address"),
        ({"code": "read", "url": "http://["}, "no address"),
        ({"code": "read", "url": "a b", "encodeRequestUrl": False}, "no address"),
    ],
)
def test_an_operation_that_cannot_be_sent_is_an_error(
    operation: dict[str, Any], message: str
) -> None:
    with pytest.raises(ScriptError, match=message):
        built(**operation)


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ({"code": "create"}, {"resourceType": "Patient", "active": True}),
        (
            {"code": "update", "resource": "Patient", "params": "/9"},
            {"resourceType": "Patient", "id": "9", "active": True},
        ),
        (
            {"code": "update", "resource": "Patient", "params": "?identifier=a"},
            {"resourceType": "Patient", "active": True},
        ),
    ],
)
def test_the_id_of_a_contained_fixture_is_not_sent_as_its_own(
    operation: dict[str, Any], body: dict[str, Any]
) -> None:
    scope = Scope(replace(PATIENT, local_id=True))

    assert json.loads(built(scope, sourceId="s", **operation).body) == body


def test_an_unknown_operation_is_not_supported_by_name() -> None:
    with pytest.raises(NotSupported, match="'frobnicate'"):
        built(code="frobnicate", resource="Patient")


def test_a_fixture_that_xml_cannot_hold_is_not_supported_in_xml() -> None:
    scope = Scope(Content(b'{"resourceType":"Patient","unknown":[{"a":1}]}', wire.JSON))

    with pytest.raises(NotSupported, match="as application/fhir\\+xml"):
        built(scope, code="create", sourceId="s", contentType="xml")
