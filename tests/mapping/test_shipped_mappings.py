"""Every shipped mapping, for both kinds of request, for oneself and for somebody else, matched and
not: it gives what was written down, it is valid, and it says who wrote about whom."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from fhir_gateway.fhir import check
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.bundle import references, resources
from fhir_gateway.fhir.identifiers import NHS_NUMBER, REQUEST_ID
from fhir_gateway.mapping.golden import example_differences, run_example
from fhir_gateway.mapping.target import Example
from tests.mapping.shipped_cases import CASES, MAPPINGS, example, mapped, questionnaire_of, targets
from tests.peers.hl7_validator.client import Hl7Validator

every_case = pytest.mark.parametrize("case", CASES)
every_mapping = pytest.mark.parametrize("mapping", MAPPINGS)


def only(mapping: str, case: str, resource_type: str) -> dict[str, Any]:
    [found] = resources(mapped(mapping, case).bundle, resource_type)
    return found


def entry_of(bundle: dict[str, Any], address: str) -> dict[str, Any]:
    return next(e["resource"] for e in bundle["entry"] if e["fullUrl"] == address)


def test_the_shipped_mappings_are_these() -> None:
    assert sorted(targets()) == MAPPINGS


@every_case
@every_mapping
def test_a_golden_example_comes_out(mapping: str, case: str) -> None:
    given = example(mapping, case)
    assert given.expected["entry"]
    assert example_differences(given, mapped(mapping, case)) == []


@every_case
@every_mapping
def test_what_comes_out_passes_our_checks(mapping: str, case: str) -> None:
    assert check.problems(mapped(mapping, case).bundle) == []


@pytest.mark.java
@every_case
@pytest.mark.parametrize("mapping", [m for m in MAPPINGS if m != "as-submitted"])
def test_what_comes_out_passes_the_hl7_validator(
    ukcore_validator: Hl7Validator, mapping: str, case: str
) -> None:
    assert ukcore_validator.errors(mapped(mapping, case).bundle) == []


@every_case
@every_mapping
def test_references_within_a_bundle_find_their_entry(mapping: str, case: str) -> None:
    bundle = mapped(mapping, case).bundle
    addresses = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(addresses) == len(set(addresses))
    for reference in references(bundle):
        if reference["reference"].startswith("urn:"):
            assert reference["reference"] in addresses


@every_case
@every_mapping
def test_a_retry_is_the_same_bundle(mapping: str, case: str) -> None:
    given = example(mapping, case)
    again = run_example(targets()[mapping], questionnaire_of(given), given)
    assert again.bundle == mapped(mapping, case).bundle


@every_case
@pytest.mark.parametrize("mapping", ["uk-core-transaction", "document", "bars-shaped"])
def test_provenance_names_author_and_source(mapping: str, case: str) -> None:
    bundle = mapped(mapping, case).bundle
    made = next(
        p
        for p in resources(bundle, "Provenance")
        if p["agent"][0]["type"]["coding"][0]["code"] == "author"
    )
    assert made["entity"][0]["role"] == "source"
    author = entry_of(bundle, made["agent"][0]["who"]["reference"])
    assert author["resourceType"] == ("RelatedPerson" if "proxy" in case else "Patient")
    assert ("onBehalfOf" in made["agent"][0]) is ("proxy" in case)


@every_case
def test_the_response_says_who_it_is_about_and_who_wrote(case: str) -> None:
    bundle = mapped("uk-core-transaction", case).bundle
    response = only("uk-core-transaction", case, "QuestionnaireResponse")
    assert entry_of(bundle, response["subject"]["reference"])["resourceType"] == "Patient"
    writer = "RelatedPerson" if "proxy" in case else "Patient"
    assert entry_of(bundle, response["author"]["reference"])["resourceType"] == writer
    assert entry_of(bundle, response["source"]["reference"])["resourceType"] == writer


@pytest.mark.parametrize("mapping", ["uk-core-transaction", "document"])
@every_case
def test_only_a_matched_request_joins_the_record_with_the_nhs_number(
    mapping: str, case: str
) -> None:
    bundle = mapped(mapping, case).bundle
    entry = next(e for e in bundle["entry"] if e["resource"]["resourceType"] == "Patient")
    wanted = NHS_NUMBER if case.endswith("-matched") else REQUEST_ID
    assert entry["request"]["ifNoneExist"].startswith(f"identifier={wanted}|")


@every_case
def test_an_unmatched_communication_points_to_no_record(case: str) -> None:
    subject = only("communication-only", case, "Communication")["subject"]
    assert ("identifier" in subject) is case.endswith("-matched")
    assert "reference" not in subject
    assert subject["display"]


@every_case
def test_a_communication_has_one_payload_with_the_whole_request_as_text(case: str) -> None:
    [payload] = only("communication-only", case, "Communication")["payload"]
    attachment = payload["contentAttachment"]
    text = base64.b64decode(attachment["data"]).decode()
    assert attachment["contentType"] == "text/plain"
    assert attachment["size"] == len(text.encode())
    assert "Priya" in text
    assert ("for the patient" in text) is ("proxy" in case)


@every_case
def test_any_time_is_no_time_to_avoid(case: str) -> None:
    given = example("uk-core-transaction", case)
    response = json.loads(fhir_json.dump(given.response), object_hook=_at_any_time)
    changed = Example("any time", response, given.context, {})
    extraction = run_example(targets()["uk-core-transaction"], questionnaire_of(given), changed)
    [task] = resources(extraction.bundle, "Task")
    assert "Times to avoid" not in [given["type"]["text"] for given in task["input"]]
    people = resources(extraction.bundle, "Patient")
    assert b"Not: " not in b"".join(map(fhir_json.dump, people))
    assert check.problems(extraction.bundle) == []


def _at_any_time(element: dict[str, Any]) -> dict[str, Any]:
    if element.get("linkId") != "times-to-avoid":
        return element
    coding = element["answer"][0]["valueCoding"]
    any_time = {**coding, "code": "any-time", "display": "No, any time is fine"}
    return {**element, "answer": [{"valueCoding": any_time}]}


def test_a_service_says_who_sends_and_gets_a_communication_and_the_epr_who_it_is_about() -> None:
    base = "https://w3id.org/fhir-gateway/StructureDefinition/service-message"
    given = example("communication-only", "medical-me-matched")
    service = {
        **given.context["service"],
        "extension": [
            {"url": f"{base}Recipient", "valueReference": {"reference": "Group/pool"}},
            {"url": f"{base}Sender", "valueReference": {"reference": "Practitioner/7"}},
        ],
    }
    more = {"service": service, "eprPatient": {"reference": "Patient/42"}}
    configured = Example("configured", given.response, {**given.context, **more}, {})
    extraction = run_example(targets()["communication-only"], questionnaire_of(given), configured)
    [communication] = resources(extraction.bundle)
    assert communication["recipient"] == [{"reference": "Group/pool"}]
    assert communication["sender"] == {"reference": "Practitioner/7"}
    assert communication["subject"]["reference"] == "Patient/42"
    assert check.problems(extraction.bundle) == []


@every_case
def test_a_document_is_there_as_pdf_and_as_text(case: str) -> None:
    pdf, text = only("document", case, "DocumentReference")["content"]
    assert base64.b64decode(pdf["attachment"]["data"]).startswith(b"%PDF-")
    assert "O'Neill-Sharma" in base64.b64decode(text["attachment"]["data"]).decode()


@every_case
def test_a_message_begins_with_its_header_and_has_no_requests(case: str) -> None:
    bundle = mapped("bars-shaped", case).bundle
    assert bundle["type"] == "message"
    assert bundle["entry"][0]["resource"]["resourceType"] == "MessageHeader"
    assert all("request" not in entry for entry in bundle["entry"])


@every_case
@every_mapping
def test_every_resource_has_a_narrative_in_which_answers_are_escaped(
    mapping: str, case: str
) -> None:
    for resource in resources(mapped(mapping, case).bundle):
        assert resource["text"]["status"] == "generated"
        assert "<b>hot</b>" not in resource["text"]["div"]
