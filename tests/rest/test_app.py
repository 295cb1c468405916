"""The FHIR REST API over HTTP: every answer is FHIR, errors too."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from fhir_gateway import __version__, logs
from fhir_gateway.fhir import check
from fhir_gateway.fhir.search.parameters import TYPES
from fhir_gateway.rest.app import create_fhir_app
from fhir_gateway.rest.audit_events import SEARCHED
from fhir_gateway.rest.registry import Answer, Call, Interaction, Registry
from fhir_gateway.rest.stored import PUBLIC_TYPES
from tests.rest.conftest import BASE_URL, NOW, Api
from tests.serving import serve


def refused(answer: httpx.Response, status: int, code: str) -> str:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/fhir+json; charset=utf-8"
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    assert check.problems(outcome) == []
    (only,) = outcome["issue"]
    assert (only["severity"], only["code"]) == ("error", code)
    diagnostics: str = only["diagnostics"]
    return diagnostics


def test_the_capability_statement_declares_what_is_served(fhir: httpx.Client) -> None:
    answer = fhir.get("/metadata")
    assert answer.headers["content-type"] == "application/fhir+json; charset=utf-8"
    statement = answer.json()
    assert [p for p in check.problems(statement) if p["severity"] == "error"] == []
    assert statement["software"]["version"] == __version__
    assert statement["implementation"]["url"] == BASE_URL
    (rest,) = statement["rest"]
    served = {resource["type"]: resource for resource in rest["resource"]}
    assert served.keys() == TYPES.keys()
    responses = served["QuestionnaireResponse"]
    assert [operation["name"] for operation in responses["operation"]] == ["extract"]
    for name, resource in served.items():
        kept = SEARCHED if name == "AuditEvent" else TYPES[name]
        assert {p["name"] for p in resource["searchParam"]} == set(kept)
    for name in PUBLIC_TYPES:
        assert fhir.get(f"/{name}").json()["total"] > 0


@pytest.mark.parametrize("resource_type", sorted(PUBLIC_TYPES))
def test_everything_that_is_found_can_be_read(fhir: httpx.Client, resource_type: str) -> None:
    bundle = fhir.get(f"/{resource_type}").json()
    assert (bundle["type"], bundle["total"]) == ("searchset", len(bundle["entry"]))
    for entry in bundle["entry"]:
        resource = entry["resource"]
        assert entry["fullUrl"] == f"{BASE_URL}/{resource_type}/{resource['id']}"
        assert fhir.get(f"/{resource_type}/{resource['id']}").json()["url"] == resource["url"]


def test_questionnaires_are_published_assembled(fhir: httpx.Client) -> None:
    answer = fhir.get("/Questionnaire/pifu-medical")
    assert "patient-given" in answer.text
    assert "subQuestionnaire" not in answer.text


@pytest.mark.parametrize(
    ("parameters", "total"),
    [
        ({"_id": "pifu-medical"}, 1),
        ({"_id": "pifu-medical,pifu-admin"}, 2),
        ({"url": "https://w3id.org/fhir-gateway/Questionnaire/pifu-admin"}, 1),
        ({"url": "urn:nowhere"}, 0),
        ({"_id": "pifu-medical", "status": "nonsense"}, 0),
        ({"_id": "pifu-medical", "_format": "json", "_pretty": "true"}, 1),
    ],
)
def test_searches_find_what_they_name(
    fhir: httpx.Client, parameters: dict[str, str], total: int
) -> None:
    bundle = fhir.get("/Questionnaire", params=parameters).json()
    assert bundle["total"] == total == len(bundle.get("entry", []))
    assert bundle["link"][0]["relation"] == "self"


def test_an_unknown_parameter_is_passed_over_with_a_warning(fhir: httpx.Client) -> None:
    bundle = fhir.get("/Questionnaire?titel=x").json()
    [warning] = [e for e in bundle["entry"] if e["search"]["mode"] == "outcome"]
    assert "titel" in warning["resource"]["issue"][0]["diagnostics"]
    assert "titel" not in bundle["link"][0]["url"]


def test_an_unknown_parameter_is_refused_for_who_wants_that(fhir: httpx.Client) -> None:
    strict = {"Prefer": "handling=strict"}
    said = refused(fhir.get("/Questionnaire?titel=x", headers=strict), 400, "not-supported")
    assert "titel" in said
    refused(fhir.get("/Questionnaire?a%00b=x", headers=strict), 400, "not-supported")


@pytest.mark.parametrize("path", ["/Observation", "/nonsense", "/Questionnaire%00"])
def test_what_is_not_served_is_said(fhir: httpx.Client, path: str) -> None:
    refused(fhir.get(path), 404, "not-supported")


@pytest.mark.parametrize(
    "path", ["/Questionnaire/nonsense", "/ValueSet/%3Cscript%3E", "/a/b/c", "/"]
)
def test_what_is_not_there_is_said_without_repeating_it(fhir: httpx.Client, path: str) -> None:
    answer = fhir.get(path)
    assert answer.status_code == 404
    assert "<script" not in answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/Questionnaire", "/Questionnaire/pifu-medical", "/metadata"])
def test_definitions_cannot_be_changed(fhir: httpx.Client, method: str, path: str) -> None:
    refused(fhir.request(method, path, json={}), 405, "not-supported")


def test_a_parameter_without_a_valid_value_is_refused(fhir: httpx.Client) -> None:
    refused(fhir.get("/metadata?_summary=perhaps"), 400, "value")


def test_pretty_is_for_people(fhir: httpx.Client) -> None:
    assert "\n  " in fhir.get("/metadata?_pretty=true").text
    assert "\n" not in fhir.get("/metadata").text


def test_the_id_of_a_request_comes_back(fhir: httpx.Client) -> None:
    answers = [fhir.get(path, headers={"X-Request-Id": "abc"}) for path in ("/metadata", "/x")]
    assert [answer.headers["x-request-id"] for answer in answers] == ["abc", "abc"]
    assert "x-request-id" not in fhir.get("/metadata").headers


def test_every_answer_has_the_security_headers(fhir: httpx.Client) -> None:
    for path in ("/metadata", "/nonsense"):
        headers = fhir.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "content-security-policy" in headers


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_no_page_describes_the_inside(fhir: httpx.Client, path: str) -> None:
    assert fhir.get(path).status_code == 404


@pytest.mark.hazard("H08")
def test_a_failure_is_an_outcome_and_its_text_reaches_nobody(
    running: Api, catalogue: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(call: Call) -> Answer:
        raise RuntimeError("canary")

    def register(registry: Registry) -> None:
        registry.offer("Basic", {Interaction.READ: broken}, public=True)

    logs.configure("json")
    app = create_fhir_app(
        catalogue, running.database, base_url=BASE_URL, clock=lambda: NOW, register=register
    )
    with serve(app) as address:
        answer = httpx.get(f"{address}/fhir/R4/Basic/1")
    refused(answer, 500, "exception")
    printed = capsys.readouterr()
    assert "RuntimeError" in printed.out
    assert "canary" not in answer.text + printed.out + printed.err
