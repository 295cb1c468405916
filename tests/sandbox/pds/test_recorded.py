"""Our answers beside recorded ones of the public sandbox, for what needs none of its patients.

The recordings are not part of the project: set FHIR_GATEWAY_REFERENCE_DATA to the folder that
holds `pds/*.json`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from fhir_gateway.sandbox.pds.app import BASE_PATH, create_app
from fhir_gateway.sandbox.pds.faults import Fault, Kind
from fhir_gateway.sandbox.pds.population import create_population
from tests.sandbox.pds.client import OWN, Client
from tests.serving import serve

VARIABLE = "FHIR_GATEWAY_REFERENCE_DATA"


def recording(name: str) -> dict[str, Any]:
    folder = os.environ.get(VARIABLE)
    if not folder:
        pytest.skip(f"{VARIABLE} is not set: no recorded answers to compare with")
    path = Path(folder) / "pds" / f"{name}.json"
    if not path.is_file():
        pytest.skip(f"{VARIABLE} has no {path.name}")
    loaded = json.loads(path.read_text())
    assert isinstance(loaded, dict)
    return loaded


def names() -> list[str]:
    """The recorded requests, when there are any."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        return []
    files = sorted((Path(folder) / "pds").glob("*.json"))
    return [file.stem for file in files if "request" in json.loads(file.read_text())]


#: Headers that are the same however an answer travels.
HEADERS = ("content-type", "etag", "x-request-id", "x-correlation-id")


def test_there_are_recordings() -> None:
    recording("retrieve_unrestricted")
    assert len(names()) > 20


@pytest.mark.parametrize("name", names())
def test_the_same_request_has_the_recorded_answer(pds: Client, name: str) -> None:
    """Status, the headers that matter and the whole body, but for the moment it was made at."""
    recorded = recording(name)
    request, theirs = recorded["request"], recorded["response"]
    ours = pds.get(request["path"], request["query"], request["headers"])
    assert ours.status_code == theirs["status"]
    for header in HEADERS:
        assert ours.headers.get(header) == theirs["headers"].get(header), header
    mine = ours.json()
    assert ("timestamp" in mine) is ("timestamp" in theirs["body"])
    assert {**mine, "timestamp": ""} == {**theirs["body"], "timestamp": ""}


def proxy_case(name: str) -> dict[str, Any]:
    [case] = [c for c in recording("proxy_error_cases")["cases"] if c["name"] == name]
    assert isinstance(case, dict)
    return case


@pytest.mark.parametrize(
    ("name", "method", "path", "headers"),
    [
        ("access_token_empty_header", "GET", "/Patient/9990001006", {"Authorization": ""}),
        ("access_token_missing", "GET", "/Patient/9990001006", {"Authorization": "Bearer"}),
        ("app_restricted_max_results_gt_1", "GET", "/Patient?_max-results=2", {}),
        ("app_restricted_patch", "PATCH", "/Patient/9990001006", {}),
        ("app_restricted_post", "POST", "/Patient", {}),
        ("unsupported_path", "GET", "/HelloWorld", {}),
        (
            "fuzzy_with_wildcard",
            "GET",
            "/Patient?_fuzzy-match=true&family=ALMOND&given=Joe%2A&birthdate=2024-09-17",
            {},
        ),
        ("invalidated_resource", "GET", "/Patient/9990001162", {}),
    ],
)
def test_an_error_has_the_published_body(
    pds: Client, name: str, method: str, path: str, headers: dict[str, str]
) -> None:
    case = proxy_case(name)
    own = {**OWN, "X-Request-ID": "60E0B220-8136-4CA5-AE46-1D97EF59D068", **headers}
    answer = pds.http.request(method, BASE_PATH + path, headers=own)
    assert answer.status_code == case["status"]
    assert answer.json() == case["body"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("app_spike_arrest", "TOO_MANY_REQUESTS"),
        ("timeout_sync_wrap", "SERVICE_UNAVAILABLE"),
        ("unknown_error", "UNKNOWN_ERROR"),
        ("unable_to_call_service_408", "UNABLE_TO_CALL_SERVICE"),
    ],
)
def test_trouble_has_the_published_body_but_for_its_explanation(name: str, code: str) -> None:
    case = proxy_case(name)
    app = create_app(population=create_population(0))
    app.state.outage.start(code)
    with serve(app) as url, httpx.Client(base_url=url) as http:
        answer = Client(http).get("/Patient/9990001006")
    assert answer.status_code == case["status"]
    assert answer.headers.get("retry-after") == case["headers"].get("Retry-After")
    mine = answer.json()["issue"][0]
    if case["body"]:
        theirs = case["body"]["issue"][0]
        assert {**mine, "diagnostics": ""} == {**theirs, "diagnostics": ""}
    assert mine["details"]["coding"][0]["code"] == code


def test_the_rate_limit_speaks_as_published() -> None:
    theirs = proxy_case("app_spike_arrest")["body"]["issue"][0]["diagnostics"]
    app = create_app(population=create_population(0), requests_per_second=0.1)
    with serve(app) as url, httpx.Client(base_url=url) as http:
        client = Client(http)
        client.get("/Patient/9990001006")
        mine = client.get("/Patient/9990001006").json()["issue"][0]["diagnostics"]
    assert mine == theirs.replace("{developer.app.name}", "sandbox")


def test_an_error_is_an_error_of_the_one_tree() -> None:
    fault = Fault(Kind(400, "INVALID_VALUE", "Provided value is invalid", "value"), "secret")
    assert fault.code == "INVALID_VALUE"
    assert "secret" not in str(fault)
