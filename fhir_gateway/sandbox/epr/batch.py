"""Batches: each entry by itself, whatever becomes of the others.

https://hl7.org/fhir/R4/http.html#brules. Entries do not refer to one another.
"""

from __future__ import annotations

from typing import Any

from fhir_gateway.fhir.types import Element, Resource, as_list
from fhir_gateway.sandbox.epr import interactions, responses
from fhir_gateway.sandbox.epr.entries import METHODS, Entry, read_entry
from fhir_gateway.sandbox.epr.faults import Fault, blaming
from fhir_gateway.sandbox.epr.session import Session
from fhir_gateway.sandbox.epr.storage import Storage


def run(storage: Storage, bundle: Resource, base: str, *, representation: bool) -> Resource:
    """Carry out a batch and answer with its batch-response; errors are within the answer.

    `representation`: whether created and updated resources are to come back.
    """
    elements = as_list(bundle.get("entry"))
    answers: dict[int, Element] = {}
    # In the order of a transaction, so that reads see what the batch has written.
    for index, element in sorted(enumerate(elements), key=_order):
        try:
            with blaming(index):
                entry = read_entry(index, element, base)
                with storage.session() as session:
                    answers[index] = _carry_out(session, entry, base, representation)
        except Fault as error:
            answers[index] = responses.failed(error)
    return responses.bundle("batch-response", [answers[index] for index in sorted(answers)])


def _order(numbered: tuple[int, Any]) -> int:
    _, element = numbered
    request = element.get("request") if isinstance(element, dict) else None
    method = request.get("method") if isinstance(request, dict) else None
    return METHODS.index(method) if method in METHODS else len(METHODS)


def _carry_out(session: Session, entry: Entry, base: str, representation: bool) -> Element:
    if entry.method == "GET":
        return responses.get(session, entry, base)
    if entry.method == "DELETE":
        interactions.delete(session, entry.key)
        return responses.deleted()
    resource = interactions.linked(entry.resource, base)
    if entry.method == "POST":
        result = interactions.create(session, resource, entry.if_none_exist)
    else:
        result = interactions.update(session, entry.key, resource, entry.if_match)
    return responses.done(result, representation=representation)
