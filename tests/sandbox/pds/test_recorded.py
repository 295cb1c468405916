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
from fhir_gateway.sandbox.pds.personas import person
from fhir_gateway.sandbox.pds.population import create_population
from tests.sandbox.pds.client import Client
from tests.serving import serve

VARIABLE = "FHIR_GATEWAY_REFERENCE_DATA"

#: Requests that mean the same to us: only errors, and searches that find nobody here either.
SAME_REQUEST = (
    "error_bearer_empty",
    "error_invalid_request_id_search",
    "error_missing_family",
    "error_missing_request_id_search",
    "error_no_params",
    "error_one_unknown_param",
    "retrieve_invalid_nhs_number",
    "retrieve_not_found",
    "search_exact_match_off",
    "search_no_match_phone_email",
)
#: Shapes, reproduced with people of ours: recording, persona, path below the patient or search.
SAME_SHAPE = (
    ("related_person_none", "restricted", "/RelatedPerson"),
    ("related_person_one", "child", "/RelatedPerson"),
    ("retrieve_minimal", "minimal", ""),
    ("retrieve_9733162043", "typical_man", ""),
)
#: Searches for a persona of ours whose answer has the shape of the recorded one.
SAME_SEARCH: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("search_one_match_no_prefix", "typical", {}),
    ("search_exact_match_on", "typical_man", {"_exact-match": "true"}),
    ("search_gp", "typical_man", {"general-practitioner": "W90101"}),
    ("search_superseded_not_returned", "superseded_old", {}),
    ("search_history_on", "moved", {"_history": "true"}),
    ("search_fuzzy", "typical", {"given": "Pria", "_fuzzy-match": "true"}),
    ("search_too_many_matches_max1", "namesake_a", {"_max-results": "1"}),
    ("search_too_many_matches_YOUDS_max1", "namesake_b", {"_max-results": "1"}),
)


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


def assert_alike(ours: httpx.Response, recorded: dict[str, Any]) -> None:
    """Status, content type, kind of resource, Spine code and every part of an outcome."""
    assert ours.status_code == recorded["status"]
    assert ours.headers["content-type"] == recorded["headers"]["content-type"]
    mine, theirs = ours.json(), recorded["body"]
    assert mine["resourceType"] == theirs["resourceType"]
    if mine["resourceType"] == "OperationOutcome":
        assert mine == theirs
    else:
        assert shape(mine) <= shape(theirs) | OPTIONAL


#: Parts that our people have and the recorded ones happen to lack.
OPTIONAL = {"entry.resource.telecom", "telecom", "entry.resource.generalPractitioner"}


def shape(body: dict[str, Any]) -> set[str]:
    """The keys of a resource, and of the entries of a Bundle."""
    keys = set(body)
    for entry in body.get("entry", []):
        keys |= {f"entry.{key}" for key in entry}
        keys |= {f"entry.resource.{key}" for key in entry["resource"]}
    return keys


@pytest.mark.parametrize("name", SAME_REQUEST)
def test_the_same_request_has_the_recorded_answer(pds: Client, name: str) -> None:
    recorded = recording(name)
    request = recorded["request"]
    ours = pds.get(request["path"], request["query"], request["headers"])
    assert_alike(ours, recorded["response"])
    for header in ("x-request-id", "x-correlation-id"):
        assert ours.headers.get(header) == recorded["response"]["headers"].get(header)


@pytest.mark.parametrize(("name", "key", "below"), SAME_SHAPE)
def test_a_record_has_the_recorded_shape(pds: Client, name: str, key: str, below: str) -> None:
    recorded = recording(name)["response"]
    ours = pds.get(f"/Patient/{person(key).nhs_number}{below}")
    assert_alike(ours, recorded)
    assert ("etag" in ours.headers) is ("etag" in recorded["headers"])
    assert ours.json().get("total") == recorded["body"].get("total")


@pytest.mark.parametrize(("name", "key", "extra"), SAME_SEARCH)
def test_a_search_has_the_recorded_shape(
    pds: Client, name: str, key: str, extra: dict[str, str]
) -> None:
    recorded = recording(name)["response"]
    who = person(key)
    ours = pds.get("/Patient", {"family": who.family, "birthdate": who.birth_date, **extra})
    assert_alike(ours, recorded)
    assert ours.json().get("total") == recorded["body"].get("total")


def test_a_part_of_a_record_has_the_recorded_shape(pds: Client) -> None:
    """Each part of the fullest recorded patient that ours has too has no key of its own."""
    theirs = recording("retrieve_unrestricted")["response"]["body"]
    ours = pds.get(f"/Patient/{person('typical').nhs_number}").json()
    for part in ("identifier", "name", "telecom", "address", "contact", "generalPractitioner"):
        known = {key for element in theirs[part] for key in element}
        assert {key for element in ours[part] for key in element} <= known, part
    known_urls = {extension["url"] for extension in theirs["extension"]}
    assert {extension["url"] for extension in ours["extension"]} <= known_urls
    assert ours["meta"].keys() == theirs["meta"].keys()


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
    own = {"X-Request-ID": "60E0B220-8136-4CA5-AE46-1D97EF59D068", **headers}
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
