"""Faults of what the server says about itself."""

from __future__ import annotations

from collections.abc import Callable

from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.outcome import single
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list
from fhir_gateway.sandbox.epr.injected.exchange import Answered, Fault, Proceed, Sent, on_answer
from fhir_gateway.sandbox.epr.injected.known import always

_JSON = {"content-type": "application/fhir+json"}


def of_metadata(change: Callable[[Resource], Resource]) -> Fault:
    """A fault of the CapabilityStatement alone."""

    def changed(sent: Sent, answered: Answered) -> Answered:
        if sent.path != "metadata" or answered.refused:
            return answered
        return answered.carrying(change(answered.resource))

    return on_answer(changed)


async def metadata_fails(sent: Sent, proceed: Proceed) -> Answered:
    """500 at /metadata."""
    if sent.path == "metadata":
        return Answered(500, _JSON, fhir_json.dump(single("fatal", "exception", "Broken.")))
    return await proceed(sent)


async def no_transactions(sent: Sent, proceed: Proceed) -> Answered:
    """Transactions are declared, and not found."""
    if sent.is_bundle:
        told = single("error", "not-found", "There is no such address.")
        return Answered(404, _JSON, fhir_json.dump(told))
    return await proceed(sent)


async def no_provenance(sent: Sent, proceed: Proceed) -> Answered:
    """Provenance is declared, and refused."""
    if sent.is_create and sent.type == "Provenance":
        told = single("error", "forbidden", "That is not for you.")
        return Answered(403, _JSON, fhir_json.dump(told))
    return await proceed(sent)


async def no_messages(sent: Sent, proceed: Proceed) -> Answered:
    """Messages are declared, and not found."""
    if sent.path == "$process-message":
        told = single("error", "not-found", "There is no such address.")
        return Answered(404, _JSON, fhir_json.dump(told))
    return await proceed(sent)


async def no_smart_configuration(sent: Sent, proceed: Proceed) -> Answered:
    """Nobody says where tokens are."""
    if sent.path == ".well-known/smart-configuration":
        told = single("error", "not-found", "There is no such address.")
        return Answered(404, _JSON, fhir_json.dump(told))
    return await proceed(sent)


def of_stu3(statement: Resource) -> Resource:
    """Another version of FHIR."""
    return {**statement, "fhirVersion": "3.0.2"}


def with_xml(statement: Resource) -> Resource:
    """XML is declared."""
    return {**statement, "format": [*as_list(statement.get("format")), "application/fhir+xml"]}


def without_create(statement: Resource) -> Resource:
    """No create of anything."""
    return _with_resources(statement, _without_create)


def without_identifier_search(statement: Resource) -> Resource:
    """No search by identifier."""
    return _with_resources(statement, _without_identifier)


def _with_resources(statement: Resource, change: Callable[[Element], Element]) -> Resource:
    rest = [
        {**as_dict(one), "resource": [change(as_dict(r)) for r in as_list(one.get("resource"))]}
        for one in as_list(statement.get("rest"))
    ]
    return {**statement, "rest": rest}


def _without_create(resource: Element) -> Element:
    kept = [i for i in as_list(resource.get("interaction")) if i.get("code") != "create"]
    return {**resource, "interaction": kept}


def _without_identifier(resource: Element) -> Element:
    kept = [p for p in as_list(resource.get("searchParam")) if p.get("name") != "identifier"]
    return {**resource, "searchParam": kept}


FAULTS = (
    always("metadata-fails", "Answers 500 at /metadata.", metadata_fails),
    always(
        "wrong-fhir-version",
        "Says in /metadata that it speaks FHIR 3.0.2.",
        of_metadata(of_stu3),
    ),
    always(
        "claims-xml",
        "Declares XML and answers 406 to who asks for it.",
        of_metadata(with_xml),
    ),
    always(
        "claims-transactions",
        "Declares transactions and answers 404 to them.",
        no_transactions,
    ),
    always(
        "claims-messages",
        "Declares $process-message and answers 404 to it.",
        no_messages,
    ),
    always(
        "refuses-provenance",
        "Declares the create of Provenance and answers 403 to it.",
        no_provenance,
    ),
    always(
        "declares-no-create",
        "Declares no create, although it takes it.",
        of_metadata(without_create),
    ),
    always(
        "declares-no-identifier-search",
        "Declares no search by identifier, although it knows it.",
        of_metadata(without_identifier_search),
    ),
    always(
        "no-smart-configuration",
        "Wants tokens and does not say where they are.",
        no_smart_configuration,
    ),
)
