"""The step `confirm`: a text with the reference. It never fails a request.

The text says that the request was received, has the reference and nothing of what was asked
(NHS service manual, writing NHS messages: 160 characters, no personal data). A text provider's
reference does not stop a second text, so the rules of `send` hold here too: intent, settle, look.
"""

from __future__ import annotations

from fhir_gateway.delivery import backoff, gate
from fhir_gateway.delivery.engine import Wait
from fhir_gateway.delivery.parts import Parts
from fhir_gateway.delivery.submitted import forget_submitted, read_submitted
from fhir_gateway.errors import GatewayError, OutcomeUnknown, Refused, TryLater
from fhir_gateway.journey import limits
from fhir_gateway.provider.service import Service
from fhir_gateway.sms.texts import segments
from fhir_gateway.store import requests, texts
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.requests import Request, RequestState
from fhir_gateway.store.texts import TextMessage, TextState

KIND = "confirmation"
#: The neighbour's name of the text provider: there is one a gateway.
NEIGHBOUR = gate.texts_name("provider")


def confirm(parts: Parts, request_id: str, tries: int) -> Wait:
    """Text the reference to whoever wrote, when they gave a mobile number."""
    with parts.database.reading() as tx:
        request = requests.find(tx, request_id)
        if request is None or request.state is not RequestState.DELIVERED:
            return None
        service = parts.service(tx, request.service_slug)
    if request.is_synthetic:
        return _end(parts, request, "synthetic")
    mobile = read_submitted(parts, request).writer_mobile
    if mobile is None:
        return _end(parts, request, "no-mobile")
    try:
        wait = _send_once(parts, request, service, mobile)
    except GatewayError as error:
        _learn(parts, error)
        if not isinstance(error, TryLater | OutcomeUnknown):
            return _end(parts, request, error.code)
        wait = _until_next(parts, tries, error)
    if wait is None:
        return None
    if parts.clock() - request.accepted_at > parts.timing.confirm_within:
        return _end(parts, request, "too-late")
    return wait


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
    number = request.matched_number
    return number if number and read_submitted(parts, request).by_patient else None


def _send_once(parts: Parts, request: Request, service: Service, mobile: str) -> Wait:
    """Send, unless an earlier try did; None when the step is over, or how long to wait. Raises
    what the sender raises."""
    reference = f"{request.id}:{KIND}"
    with parts.database.transaction() as tx:
        # Held, so that of two processes one sees the text of the other: before there is one, there
        # is no row of it to hold.
        if requests.hold(tx, request.id) is not RequestState.DELIVERED:
            return None
        known = texts.hold(tx, reference)
        if known is None and limits.admit(
            tx, [(parts.caps.number_texts, mobile)], now=parts.clock()
        ):
            return _end_in(parts, tx, request, "limited")
        if known and known.state in (TextState.SENT, TextState.FAILED):
            return _end_in(parts, tx, request, known.state)
        wait = _left(parts, known) or _held_back(parts, tx)
        look = known is not None and known.state is TextState.INTENDED
        if wait is not None:
            return wait
        if not look:
            texts.intend(tx, reference, KIND, now=parts.clock())
    if look:
        found = parts.sender.find(reference)
        if found is not None:
            return _sent(parts, request, reference, found.id)
        if known is None or not _again(parts, known):
            return parts.timing.text_settle.total_seconds()
    try:
        sent = parts.sender.send(
            to=mobile,
            text=compose(service, request.reference),
            reference=reference,
            nhs_number=matched_writer(parts, request),
        )
    except (Refused, TryLater) as error:
        state = TextState.FAILED if isinstance(error, Refused) else TextState.DUE
        with parts.database.transaction() as tx:
            texts.settle(tx, reference, state)
        raise
    return _sent(parts, request, reference, sent.id)


def _left(parts: Parts, known: TextMessage | None) -> Wait:
    """How long an earlier try has to settle yet."""
    if known is None or known.state is not TextState.INTENDED:
        return None
    left = (known.sent_at + parts.timing.text_settle - parts.clock()).total_seconds()
    return left if left > 0 else None


def _held_back(parts: Parts, tx: Transaction) -> Wait:
    """The gate of the text provider."""
    now, limit = parts.clock(), parts.limits.texts
    shut = gate.closed_for(tx, NEIGHBOUR, limit, now=now, rng=parts.rng)
    if shut is not None:
        return shut
    busy = texts.under_way(tx, now - parts.timing.text_settle)
    return gate.turn(tx, NEIGHBOUR, limit, busy, now=now, rng=parts.rng)


def _again(parts: Parts, looked_for: TextMessage) -> bool:
    """Record that a text that was looked for and not found leaves again; False when another
    process has sent it meanwhile."""
    with parts.database.transaction() as tx:
        if texts.hold(tx, looked_for.reference) != looked_for:
            return False
        texts.intend(tx, looked_for.reference, looked_for.kind, now=parts.clock())
    return True


def _sent(parts: Parts, request: Request, reference: str, provider_id: str) -> Wait:
    # Lost, this leaves the text intended, and it is found at the provider.
    with parts.database.transaction(redone=True) as tx:
        wait = _end_in(parts, tx, request, "sent")
        texts.settle(tx, reference, TextState.SENT, provider_id)
        gate.learn(tx, NEIGHBOUR, parts.limits.texts, None, now=parts.clock())
    return wait


def _until_next(parts: Parts, tries: int, error: GatewayError) -> float:
    if isinstance(error, OutcomeUnknown):
        return parts.timing.text_settle.total_seconds()
    return backoff.wait(
        tries,
        after=error.after if isinstance(error, TryLater) else None,
        rng=parts.rng,
        first=parts.timing.retry_first.total_seconds(),
        longest=parts.timing.retry_longest.total_seconds(),
    )


def _learn(parts: Parts, error: GatewayError) -> None:
    with parts.database.transaction() as tx:
        gate.learn(tx, NEIGHBOUR, parts.limits.texts, error, now=parts.clock())


def _end(parts: Parts, request: Request, detail: str) -> Wait:
    with parts.database.transaction() as tx:
        return _end_in(parts, tx, request, detail)


def _end_in(parts: Parts, tx: Transaction, request: Request, detail: str) -> Wait:
    requests.move(tx, request.id, RequestState.CONFIRMED, now=parts.clock(), detail=detail)
    forget_submitted(parts, request)
    return None
