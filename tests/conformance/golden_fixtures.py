"""The fixtures of the suite epr-inbound, made from the golden examples of the mappings.

What the suite sends is what the gateway sends, with variables in place of what is new in each run.

    python -m tests.conformance.golden_fixtures    write them all
"""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fhir_gateway.fhir.identifiers import NHS_NUMBER, REQUEST_ID
from fhir_gateway.shipped import folder

Json = dict[str, Any]
HOME = folder("conformance") / "epr-inbound" / "fixtures"
#: What references within a request become when its resources are sent one by one.
NAMES = {
    "Patient": "patient",
    "RelatedPerson": "requester",
    "QuestionnaireResponse": "response",
    "ServiceRequest": "focus",
    "Task": "task",
}
_PROXY = "uk-core-transaction/examples/medical-proxy-unmatched"
_MATCHED = "uk-core-transaction/examples/medical-me-matched"

#: An empty page of A4.
_PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a fixture comes from. `type`: of the entry to take; '' for the whole Bundle.

    `request_id` stands in place of the request's identifier; `change` is made last.
    """

    golden: str
    type: str = ""
    request_id: str = "${requestId}"
    change: Callable[[Json], Json] = field(default=lambda resource: resource)

    def made(self) -> str:
        """The text of the fixture."""
        file = folder("mappings") / f"{self.golden}.expected.json"
        bundle: Json = json.loads(file.read_text())
        resources = [entry["resource"] for entry in bundle["entry"]]
        chosen = bundle
        if self.type:
            urls = {e.get("fullUrl"): e["resource"]["resourceType"] for e in bundle["entry"]}
            found = next(r for r in resources if r["resourceType"] == self.type)
            chosen = _by_variables(copy.deepcopy(found), urls)
        text = json.dumps(self.change(chosen), indent=2, ensure_ascii=False) + "\n"
        return text.replace(_request_id(resources), self.request_id)


def _request_id(resources: list[Json]) -> str:
    for resource in resources:
        given = resource.get("identifier", [])
        for identifier in given if isinstance(given, list) else [given]:
            if identifier.get("system") == REQUEST_ID:
                return str(identifier["value"])
    raise LookupError("no request identifier")


def _by_variables(value: Any, urls: Mapping[str, str]) -> Any:
    """References to other entries become variables that hold what the EPR called these."""
    if isinstance(value, list):
        return [_by_variables(one, urls) for one in value]
    if not isinstance(value, dict):
        return value
    if value.get("reference") in urls:
        return {**value, "reference": f"${{{NAMES[urls[value['reference']]]}}}"}
    return {name: _by_variables(one, urls) for name, one in value.items()}


def _numbered(variable: str) -> Callable[[Json], Json]:
    """A Patient whose NHS number is a variable."""

    def change(patient: Json) -> Json:
        number = next(i["value"] for i in patient["identifier"] if i["system"] == NHS_NUMBER)
        spaced = f"{number[:3]} {number[3:6]} {number[6:]}"
        text = json.dumps(patient, ensure_ascii=False)
        text = text.replace(number, f"${{{variable}}}").replace(spaced, f"${{{variable}}}")
        changed: Json = json.loads(text)
        return changed

    return change


def _about_patient(response: Json) -> Json:
    """Answers of a patient who asks for themselves, so that nobody else need be there."""
    return {**response, "author": response["subject"], "source": response["subject"]}


def _invalid(request: Json) -> Json:
    """A ServiceRequest without its intent, and with a status that there is not."""
    kept = {name: value for name, value in request.items() if name != "intent"}
    return {**kept, "status": "no-such-status"}


def _alone(request: Json) -> Json:
    """A ServiceRequest that refers to nothing, as only its own faults are to count."""
    names = ("requester", "supportingInfo")
    kept = {name: value for name, value in request.items() if name not in names}
    return {**kept, "subject": {"display": "Priya O'Neill-Sharma"}}


def _broken(bundle: Json) -> Json:
    """A transaction of the Patient and of a ServiceRequest that is not valid."""
    wanted = [e for e in bundle["entry"] if e["resource"]["resourceType"] == "Patient"]
    request = next(e for e in bundle["entry"] if e["resource"]["resourceType"] == "ServiceRequest")
    resource = _invalid({**_alone(request["resource"]), "subject": request["resource"]["subject"]})
    return {**bundle, "entry": [*wanted, {**request, "resource": resource}]}


def _new_message(bundle: Json) -> Json:
    """A message of its own: a receiver passes over one whose id it has seen."""
    identifier = {**bundle["identifier"], "value": "urn:uuid:${requestId}"}
    return {**bundle, "id": "${requestId}", "identifier": identifier}


def _with_pdf(document: Json) -> Json:
    """Golden examples say only that there is a PDF; this is a small one."""
    first, *rest = document["content"]
    attachment = {**first["attachment"], "data": base64.b64encode(_PDF).decode()}
    return {**document, "content": [{"attachment": attachment}, *rest]}


FIXTURES: dict[str, Source] = {
    "Patient-unmatched.json": Source(_PROXY, "Patient"),
    "Patient-other.json": Source(_PROXY, "Patient", "${otherId}"),
    "Patient-put.json": Source(
        _PROXY, "Patient", change=lambda p: {"resourceType": "Patient", "id": "${requestId}", **p}
    ),
    "Patient-one.json": Source(_MATCHED, "Patient", change=_numbered("oneNumber")),
    "Patient-many.json": Source(_MATCHED, "Patient", change=_numbered("manyNumber")),
    "RelatedPerson.json": Source(_PROXY, "RelatedPerson"),
    "QuestionnaireResponse.json": Source(_PROXY, "QuestionnaireResponse"),
    "QuestionnaireResponse-kept.json": Source(
        _PROXY, "QuestionnaireResponse", change=_about_patient
    ),
    "ServiceRequest.json": Source(_PROXY, "ServiceRequest"),
    "ServiceRequest-invalid.json": Source(
        _PROXY, "ServiceRequest", change=lambda r: _invalid(_alone(r))
    ),
    "Task.json": Source(_PROXY, "Task"),
    "Provenance.json": Source(_PROXY, "Provenance"),
    "transaction.json": Source(_PROXY),
    "transaction-broken.json": Source(_PROXY, request_id="${brokenId}", change=_broken),
    "Communication.json": Source("communication-only/examples/admin-me-matched", "Communication"),
    "DocumentReference.json": Source(
        "document/examples/medical-me-unmatched", "DocumentReference", change=_with_pdf
    ),
    "message.json": Source("bars-shaped/examples/medical-me-unmatched", change=_new_message),
}


def write(home: Path = HOME) -> None:
    """Write all of them."""
    home.mkdir(parents=True, exist_ok=True)
    for name, source in FIXTURES.items():
        (home / name).write_text(source.made())
    (home / "malformed.txt").write_text('{"resourceType": "Patient", "name": [{"family": ')


if __name__ == "__main__":
    write()
