"""Faults of keeping: what comes back is not what was sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fhir_gateway.fhir.identifiers import NHS_NUMBER
from fhir_gateway.fhir.types import Resource, as_dict, as_list
from fhir_gateway.sandbox.epr.injected.exchange import Sent, entries, on_request, on_stored
from fhir_gateway.sandbox.epr.injected.known import always

_LONGEST = 60
#: The last character that UTF-8 writes in three bytes.
_THREE_BYTES = 0xFFFF
_DATE_LENGTH = 10
_TEXTS = ("valueString", "description", "contentString")
_NOT_SHOWN = ("input", "supportingInfo", "businessStatus", "note")
_OWN_STATUS = {"Task": "draft", "ServiceRequest": "on-hold", "Communication": "unknown"}
_NAMED = ("identifier", "name", "address")


def without_condition(sent: Sent) -> Sent:
    """Conditional creates become creates."""
    if sent.is_bundle:
        bundle = sent.resource
        kept = [
            {**entry, "request": _without(as_dict(entry.get("request")), "ifNoneExist")}
            for entry in entries(bundle)
        ]
        return sent.carrying({**bundle, "entry": kept})
    return sent.without_header("if-none-exist")


def without_extensions(resource: Resource) -> Resource:
    """No extension at any depth."""
    return _resource(resource, drop=lambda name, _: name == "extension")


def without_attachments(resource: Resource) -> Resource:
    """Attachments lose their data."""
    return _resource(resource, drop=lambda name, _: name == "data")


def without_references(resource: Resource) -> Resource:
    """References lose where they lead, and keep what they are called."""
    return as_dict(_pointless(resource))


def without_what_it_does_not_show(resource: Resource) -> Resource:
    """Only elements that its screens have a place for."""
    return {name: value for name, value in resource.items() if name not in _NOT_SHOWN}


def of_own_status(resource: Resource) -> Resource:
    """Requests begin with a status of its own."""
    status = _OWN_STATUS.get(resource["resourceType"])
    return {**resource, "status": status} if status else resource


def without_narrative(resource: Resource) -> Resource:
    """No narrative."""
    return _without(resource, "text")


def without_foreign_identifiers(resource: Resource) -> Resource:
    """Of the identifiers, only the NHS number."""
    given = resource.get("identifier")
    if isinstance(given, dict):
        return _without(resource, "identifier")
    known = [i for i in as_list(given) if as_dict(i).get("system") == NHS_NUMBER]
    return {**_without(resource, "identifier"), **({"identifier": known} if known else {})}


def without_versions(resource: Resource) -> Resource:
    """Canonical references lose their version."""
    found = resource.get("questionnaire")
    return {**resource, "questionnaire": found.partition("|")[0]} if found else resource


def in_lower_case(resource: Resource) -> Resource:
    """Identifiers, names and addresses in lower case."""
    lowered = {
        name: _walked(value, text=lambda _, text: text.lower())
        for name, value in resource.items()
        if name in _NAMED
    }
    return {**resource, **lowered}


def cut(resource: Resource) -> Resource:
    """What people wrote is cut."""
    return _resource(resource, text=_of_texts(lambda text: text[:_LONGEST]))


def without_emoji(resource: Resource) -> Resource:
    """Characters that need four bytes in UTF-8 become question marks."""
    return _resource(
        resource, text=lambda _, text: "".join("?" if ord(c) > _THREE_BYTES else c for c in text)
    )


def on_one_line(resource: Resource) -> Resource:
    """Line breaks become spaces in what people wrote."""
    return _resource(resource, text=_of_texts(lambda text: text.replace("\n", " ")))


def by_day(resource: Resource) -> Resource:
    """Moments lose their time."""
    elements = ("authoredOn", "authored", "sent")
    return _resource(resource, text=lambda n, t: t[:_DATE_LENGTH] if n in elements else t)


def _pointless(value: Any) -> Any:
    if isinstance(value, list):
        return [_pointless(one) for one in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("reference"), str):
        return {"display": "not kept", **_without(value, "reference")}
    return {name: _pointless(one) for name, one in value.items()}


def _of_texts(change: Callable[[str], str]) -> Callable[[str, str], str]:
    return lambda name, text: change(text) if name in _TEXTS else text


def _without(element: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in element.items() if key != name}


def _resource(
    resource: Resource,
    text: Callable[[str, str], str] = lambda _, text: text,
    drop: Callable[[str, Any], bool] = lambda *_: False,
) -> Resource:
    """A changed copy of a resource, see `_walked`."""
    return as_dict(_walked(resource, text=text, drop=drop))


def _walked(
    value: Any,
    name: str = "",
    *,
    text: Callable[[str, str], str] = lambda _, text: text,
    drop: Callable[[str, Any], bool] = lambda *_: False,
) -> Any:
    """A copy with each string changed by `text(name, string)`, less the elements that `drop`
    picks."""
    if isinstance(value, dict):
        return {
            key: _walked(inner, key, text=text, drop=drop)
            for key, inner in value.items()
            if not drop(key, inner)
        }
    if isinstance(value, list):
        return [_walked(inner, name, text=text, drop=drop) for inner in value]
    is_text = isinstance(value, str) and name not in ("resourceType", "url", "system", "div")
    return text(name, value) if is_text else value


FAULTS = (
    always(
        "forgets-if-none-exist",
        "Takes conditional creates for creates, so that a second send doubles.",
        on_request(without_condition),
    ),
    always(
        "drops-extensions",
        "Keeps no extension, such as the contact preference of a patient.",
        on_stored(without_extensions),
    ),
    always(
        "drops-foreign-identifiers",
        "Keeps no identifier but the NHS number.",
        on_stored(without_foreign_identifiers),
    ),
    always(
        "drops-attachments",
        "Keeps no data of attachments, such as the letter of a request.",
        on_stored(without_attachments),
    ),
    always(
        "drops-references",
        "Keeps what is referred to by its name alone.",
        on_stored(without_references),
    ),
    always(
        "drops-narrative",
        "Keeps no narrative, which is what staff read where nothing else is shown.",
        on_stored(without_narrative),
    ),
    always(
        "drops-canonical-version",
        "Keeps which questionnaire was answered without its version.",
        on_stored(without_versions),
    ),
    always(
        "drops-what-it-does-not-show",
        "Keeps no element that its screens have no place for, such as the input of a Task.",
        on_stored(without_what_it_does_not_show),
    ),
    always(
        "sets-own-status",
        "Gives requests and Tasks a status of its own.",
        on_stored(of_own_status),
    ),
    always(
        "lower-cases-values",
        "Keeps identifiers, names and addresses in lower case.",
        on_stored(in_lower_case),
    ),
    always(
        "cuts-long-text",
        "Cuts what patients wrote after 60 characters.",
        on_stored(cut),
    ),
    always(
        "loses-emoji",
        "Keeps a question mark for each character that takes four bytes in UTF-8.",
        on_stored(without_emoji),
    ),
    always(
        "joins-lines",
        "Keeps what patients wrote on one line.",
        on_stored(on_one_line),
    ),
    always(
        "loses-time-of-day",
        "Keeps the day of a request and not its time.",
        on_stored(by_day),
    ),
)
