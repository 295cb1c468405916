"""The step `confirm`: a text with the reference. It never fails a request.

The text says that the request was received, has the reference and nothing of what was asked
(NHS service manual, writing NHS messages: 160 characters, no personal data).
"""

from __future__ import annotations

from datetime import timedelta

from fhir_gateway.delivery import backoff
from fhir_gateway.delivery.engine import Wait
from fhir_gateway.delivery.parts import Parts
from fhir_gateway.delivery.submitted import read_submitted
from fhir_gateway.errors import GatewayError, OutcomeUnknown, Refused, TryLater
from fhir_gateway.journey import limits
from fhir_gateway.provider.service import Service
from fhir_gateway.sms.texts import segments
from fhir_gateway.store import requests, texts
from fhir_gateway.store.requests import Request, RequestState
from fhir_gateway.store.texts import TextState

KIND = "confirmation"
#: A confirmation that comes later than this helps nobody.
PATIENCE = timedelta(hours=24)


def confirm(parts: Parts, request_id: str, tries: int) -> Wait:
    """Text the reference to whoever wrote, when they gave a mobile number."""
    with parts.database.transaction() as tx:
        request = requests.find(tx, request_id)
        if request is None or request.state is not RequestState.DELIVERED:
            return None
        service = parts.service(tx, request.service_slug)
    mobile = read_submitted(parts, request).writer_mobile
    if mobile is None:
        return _end(parts, request, "no-mobile")
    try:
        return _end(parts, request, _send_once(parts, request, service, mobile))
    except (TryLater, OutcomeUnknown) as error:
        if parts.clock() - request.accepted_at > PATIENCE:
            return _end(parts, request, error.code)
        after = error.after if isinstance(error, TryLater) else None
        return backoff.wait(tries, after=after, rng=parts.rng)
    except GatewayError as error:
        return _end(parts, request, error.code)


def compose(service: Service, reference: str) -> str:
    """The words; the first form that fits one text."""
    reply = f"We aim to reply within {service.response_time}."
    forms = (
        f"{service.name}: we have received your request. Your reference is {reference}. {reply} "
        "In an emergency call 999.",
        f"{service.name}: we have received your request. Your reference is {reference}. {reply}",
        f"We have received your request. Your reference is {reference}. {reply}",
        f"We have received your request. Your reference is {reference}.",
    )
    return next((form for form in forms if segments(form) == 1), forms[-1])


def matched_writer(parts: Parts, request: Request) -> str | None:
    """The NHS number of a patient who wrote themselves and whom the trace matched; else None. Only
    such a patient may be texted at the number that PDS has."""
    identity = request.identity or {}
    number: str | None = identity.get("nhsNumber") if identity.get("matched") else None
    return number if number and read_submitted(parts, request).by_patient else None


def _send_once(parts: Parts, request: Request, service: Service, mobile: str) -> str:
    """Send, unless an earlier try did; what became of it. Raises what the sender raises."""
    text_reference = f"{request.id}:{KIND}"
    now = parts.clock()
    with parts.database.transaction() as tx:
        first = texts.find(tx, text_reference) is None
        if first and limits.admit(tx, [(parts.caps.number_texts, mobile)], now=now):
            return "limited"
        intent = texts.intend(tx, text_reference, KIND, now=now)
    if intent.state is TextState.SENT:
        return "sent"
    # A text provider's reference does not stop a second text: look before sending again.
    sent = None if first else parts.sender.find(text_reference)
    if sent is None:
        try:
            sent = parts.sender.send(
                to=mobile,
                text=compose(service, request.reference),
                reference=text_reference,
                nhs_number=matched_writer(parts, request),
            )
        except Refused:
            with parts.database.transaction() as tx:
                texts.settle(tx, text_reference, TextState.FAILED)
            raise
    with parts.database.transaction() as tx:
        texts.settle(tx, text_reference, TextState.SENT, sent.id)
    return "sent"


def _end(parts: Parts, request: Request, detail: str) -> Wait:
    with parts.database.transaction() as tx:
        requests.move(tx, request.id, RequestState.CONFIRMED, now=parts.clock(), detail=detail)
    return None
