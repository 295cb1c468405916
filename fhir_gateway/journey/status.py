"""How far a request is, for the person who sent it: in their words, and nothing clinical.

Who has the reference, and the phone whose number was given with the request, may see it: a security
code proves the phone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from fhir_gateway.fhir.bundle import walk
from fhir_gateway.fhir.types import Resource, as_str
from fhir_gateway.sms.number import normalise_mobile
from fhir_gateway.store import drafts, requests, resources
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.drafts import Draft

_SEPARATORS = re.compile(r"[\s\-–—]+")
_HALF, _WHOLE = 4, 8


class Standing(StrEnum):
    """What is told."""

    RECEIVED = "received"
    BEING_LOOKED_AT = "being-looked-at"
    DONE = "done"
    NOT_DONE = "not-done"


#: By the status of the request's Task. The gateway's own trouble is not the patient's to hear of:
#: the request is there, and people see to it.
_STANDINGS = {
    "accepted": Standing.BEING_LOOKED_AT,
    "in-progress": Standing.BEING_LOOKED_AT,
    "completed": Standing.DONE,
    "rejected": Standing.NOT_DONE,
}


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as its sender may see it. `draft` is what security codes are sent for."""

    reference: str
    service_slug: str
    draft: Draft
    standing: Standing


def normalise_reference(typed: str) -> str | None:
    """`7k2m 9qxd` as `7K2M-9QXD`; None for what is no reference."""
    letters = _SEPARATORS.sub("", typed).upper()
    if len(letters) != _WHOLE or not (letters.isascii() and letters.isalnum()):
        return None
    return f"{letters[:_HALF]}-{letters[_HALF:]}"


def find(tx: Transaction, reference: str, number: str) -> Sent | None:
    """The request with this reference, when this number (E.164) was given with it, or its link was
    texted to it; None for any other."""
    request = requests.by_reference(tx, reference)
    if request is None:
        return None
    bound = (request.evidence.get("bound_to") or {}).get("mobile")
    if number != bound and number not in _given(request.response):
        return None
    draft = drafts.of_request(tx, request.id)
    if draft is None:
        return None
    task = resources.of_request(tx, "Task", request.id)
    status = as_str((task.resource or {}).get("status")) if task else ""
    standing = _STANDINGS.get(status, Standing.RECEIVED)
    return Sent(reference, request.service_slug, draft, standing)


def _given(response: Resource) -> set[str]:
    """The mobile numbers among the answers: each a whole answer."""
    answers = (as_str(part.get("valueString")) for part in walk(response.get("item")))
    return {number for number in map(normalise_mobile, filter(None, answers)) if number}
