"""QuestionnaireResponse/$extract over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from fhir_gateway.questionnaire.catalogue import Catalogue
from fhir_gateway.rest.app import create_fhir_app
from tests.databases import migrated
from tests.mapping.forms import answer, form, item, response, uses, value
from tests.rest.conftest import BASE_URL, NOW
from tests.serving import serve

TEMPLATE = {"resourceType": "Patient", "id": "t", "name": [{"_text": value("answer.value")}]}
FORM = form(item("a", "string", uses("t")), templates=(TEMPLATE,))
RESPONSE = response(answer("a", "{{ %resource }}"))
OPERATION = "/QuestionnaireResponse/$extract"


@pytest.fixture(scope="module")
def fhir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of the API that publishes one form."""
    published = {**FORM, "id": "form", "url": "https://forms.example/f", "version": "2"}
    database = migrated(f"sqlite:///{tmp_path_factory.mktemp('extract') / 'extract.db'}")
    app = create_fhir_app(Catalogue([published]), database, base_url=BASE_URL, clock=lambda: NOW)
    with (
        serve(app) as address,
        httpx.Client(base_url=f"{address}/fhir/R4", timeout=30) as client,
    ):
        yield client
    database.close()


def parameters(**resources: Any) -> dict[str, Any]:
    parts = [{"name": n.replace("_", "-"), "resource": r} for n, r in resources.items()]
    return {"resourceType": "Parameters", "parameter": parts}


def test_a_form_that_is_given_extracts_its_response(fhir: httpx.Client) -> None:
    body = parameters(questionnaire_response=RESPONSE, questionnaire=FORM)
    bundle = fhir.post(OPERATION, json=body).raise_for_status().json()
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "transaction")
    [entry] = bundle["entry"]
    assert entry["resource"]["name"] == [{"text": "{{ %resource }}"}]


@pytest.mark.parametrize("canonical", ["https://forms.example/f", "https://forms.example/f|2"])
def test_a_form_that_is_published_is_found(fhir: httpx.Client, canonical: str) -> None:
    done = fhir.post(OPERATION, json={**RESPONSE, "questionnaire": canonical})
    assert done.raise_for_status().json()["entry"][0]["resource"]["resourceType"] == "Patient"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'{"resourceType": "Patient"}', 400),
        (b'{"resourceType": "Parameters", "parameter": [5, {"name": 7}]}', 400),
        (b'{"resourceType": "QuestionnaireResponse"}', 422),
        (b'{"resourceType": "QuestionnaireResponse", "questionnaire": "urn:none"}', 422),
        (b"[" * 100_000, 400),
        (b" " * 5_000_001, 413),
    ],
)
def test_what_cannot_be_extracted_gets_an_outcome(
    fhir: httpx.Client, body: bytes, status: int
) -> None:
    refused = fhir.post(OPERATION, content=body)
    assert refused.status_code == status
    assert refused.json()["resourceType"] == "OperationOutcome"


def test_a_template_that_fails_is_said_with_its_place(fhir: httpx.Client) -> None:
    broken = {**TEMPLATE, "name": [{"_text": value("no such thing")}]}
    body = parameters(
        questionnaire_response=RESPONSE,
        questionnaire=form(item("a", "string", uses("t")), templates=(broken,)),
    )
    done = fhir.post(OPERATION, json=body)
    assert done.status_code == 422
    assert "no such thing" in done.json()["issue"][0]["diagnostics"]
