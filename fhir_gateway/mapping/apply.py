"""A request mapped by a target: what delivery sends, examples check and commands show. Pure.

Extraction, then a narrative for each resource that has none, then the kind of Bundle that the
target wants.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fhir_gateway.fhir.bundle import resources
from fhir_gateway.fhir.narrative import narrative
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str
from fhir_gateway.mapping.answered import answered
from fhir_gateway.mapping.document import document_of
from fhir_gateway.mapping.document_text import plain_text
from fhir_gateway.mapping.extraction import Extraction, extract
from fhir_gateway.mapping.form import Prepared, prepare
from fhir_gateway.mapping.target import Target
from fhir_gateway.questionnaire.definition import Definition

#: Not DomainResources: they have no narrative.
_BARE = frozenset({"Bundle", "Binary", "Parameters"})
#: Variables that a caller need not give; templates may ask for them.
_DEFAULTS: dict[str, Any] = {
    "request": [],
    "identity": [],
    "submittedPatient": [],
    "submittedRequester": [],
    "service": [],
    "organisation": [],
    "gateway": [],
    "eprPatient": [],
}


def apply(
    target: Target,
    questionnaire: Resource,
    response: Resource,
    context: Mapping[str, Any],
    *,
    namespace: uuid.UUID,
    now: datetime,
) -> Extraction:
    """Map a response. `context`: the launch context (docs/mappings.md); what it leaves out is
    empty. `namespace`: where ids are derived from, the request's UUID. `now`: when the request was
    accepted. Errors are issues of the outcome."""
    prepared = prepare(target, Definition(questionnaire))
    return apply_prepared(prepared, response, context, namespace=namespace, now=now)


def apply_prepared(
    prepared: Prepared,
    response: Resource,
    context: Mapping[str, Any],
    *,
    namespace: uuid.UUID,
    now: datetime,
) -> Extraction:
    """`apply`, with what is the same for every response done before."""
    target, form = prepared.target, prepared.form
    variables = {**_DEFAULTS, **target.concept_maps, **context}
    if target.documents:
        kept = answered(prepared.asked, response, now).response
        variables["document"] = _renditions(kept, variables, now)
    extraction = extract(
        form.questionnaire,
        response,
        context=variables,
        namespace=namespace,
        now=now,
        form=form,
    )
    bundle = extraction.bundle
    for resource in resources(bundle):
        if resource.get("resourceType") not in _BARE:
            # The template's own narrative, if any, stays.
            resource.setdefault("text", narrative(resource))
    if target.bundle_type == "message":
        bundle = _message(bundle, namespace, now)
    return Extraction(bundle, extraction.outcome)


def _renditions(response: Resource, context: Mapping[str, Any], now: datetime) -> Element:
    """`%document`: the whole request as text and PDF, base64, with sizes and a title."""
    from fhir_gateway.mapping.document_pdf import pdf

    document = document_of(response, context, now)
    text, printed = plain_text(document).encode(), pdf(document)
    return {
        "title": f"{document.title} {document.reference}".strip(),
        "text": base64.b64encode(text).decode(),
        "textSize": len(text),
        "pdf": base64.b64encode(printed).decode(),
        "pdfSize": len(printed),
    }


def _message(bundle: Resource, namespace: uuid.UUID, now: datetime) -> Resource:
    """A message Bundle: the MessageHeader first, and no requests
    (https://hl7.org/fhir/R4/messaging.html)."""
    entries = [
        {key: value for key, value in as_dict(entry).items() if key != "request"}
        for entry in as_list(bundle.get("entry"))
    ]
    entries.sort(key=lambda entry: not _is_header(entry))
    message_id = uuid.uuid5(namespace, "message")
    return {
        "resourceType": "Bundle",
        "id": str(message_id),
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{message_id}"},
        "type": "message",
        "timestamp": now.isoformat(),
        "entry": entries,
    }


def _is_header(entry: Element) -> bool:
    return as_str(as_dict(entry.get("resource")).get("resourceType")) == "MessageHeader"
