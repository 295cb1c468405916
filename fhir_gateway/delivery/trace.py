"""The step `trace`: ask PDS, grade what it returns. Its outcome never reaches who wrote."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from fhir_gateway.delivery import backoff
from fhir_gateway.delivery.engine import Wait
from fhir_gateway.delivery.parts import Parts
from fhir_gateway.delivery.submitted import Submitted, read_submitted
from fhir_gateway.errors import Refused, TryLater
from fhir_gateway.fhir.types import Resource
from fhir_gateway.matching import demographics, grade, plan
from fhir_gateway.matching.grade import Evidence, Identity, Level, Status
from fhir_gateway.pds.answers import Answer, Found, TooMany
from fhir_gateway.provider.service import Service
from fhir_gateway.sms.number import same_number
from fhir_gateway.store import requests
from fhir_gateway.store.requests import Request, RequestState

#: A request does not wait longer for PDS; it goes on as unmatched, trace required.
PATIENCE = timedelta(minutes=15)


def trace(parts: Parts, request_id: str, tries: int) -> Wait:
    """Trace the patient of an accepted request and keep the outcome."""
    with parts.database.transaction() as tx:
        request = requests.find(tx, request_id)
        if request is None or request.state is not RequestState.ACCEPTED:
            return None
        service = parts.service(tx, request.service_slug)
    submitted = read_submitted(parts, request)
    try:
        identity, record = _identify(parts, request, service, submitted)
    except TryLater as error:
        if parts.clock() - request.accepted_at < PATIENCE:
            return backoff.wait(tries, after=error.after, rng=parts.rng)
        typed = demographics.of_patient(submitted.patient)
        identity, record = grade.without_record(typed, reached=False), None
    now = parts.clock()
    with parts.database.transaction() as tx:
        requests.save_identity(tx, request_id, as_stored(identity, record, now.isoformat()))
        requests.move(tx, request_id, RequestState.TRACED, now=now, detail=identity.level)
    return None


def as_stored(identity: Identity, record: Resource | None, traced: str) -> dict[str, Any]:
    """The outcome as it is kept, sealed, and as mappings see it under `%identity`. The PDS record
    is kept only when the request is matched to it."""
    return {
        "level": identity.level.value,
        "status": identity.status.value,
        "statusDisplay": grade.STATUS_DISPLAY[identity.status],
        "matched": identity.matched,
        "traced": traced,
        **({"nhsNumber": identity.nhs_number} if identity.nhs_number else {}),
        "evidence": [
            {
                "field": e.field,
                "agrees": {True: "yes", False: "no", None: "not compared"}[e.agrees],
                "text": e.text,
            }
            for e in identity.evidence
        ],
        **({"record": record} if identity.matched and record else {}),
    }


def _identify(
    parts: Parts, request: Request, service: Service, submitted: Submitted
) -> tuple[Identity, Resource | None]:
    typed = demographics.of_patient(submitted.patient)
    bound = (request.evidence.get("bound_to") or {}).get("nhs_number")
    answer: Answer | None = None
    try:
        for question in plan.plan(typed, bound_to=bound):
            answer = _ask(parts, request, service, question)
            if isinstance(answer, Found):
                break
    except Refused as refused:
        refusal = Evidence("record", None, f"PDS refused the trace ({refused.code})")
        return Identity(Level.NONE, Status.TRACE_REQUIRED, typed.nhs_number, (refusal,)), None
    if not isinstance(answer, Found):
        return grade.without_record(typed, many=isinstance(answer, TooMany)), None
    verified = request.evidence.get("verified") or {}
    mobile = submitted.writer_mobile
    identity = grade.grade(
        typed,
        answer.record,
        verified=[mobile] if mobile in verified and mobile else [],
        by_patient=submitted.by_patient,
        same_number=same_number,
        today=request.accepted_at.date(),
    )
    return identity, answer.record


def _ask(parts: Parts, request: Request, service: Service, question: plan.Question) -> Answer:
    # The same for each try of the same question, as PDS asks.
    call = uuid.uuid5(uuid.UUID(request.id), f"pds:{question.step}")
    if isinstance(question, plan.Read):
        return parts.pds.read(question.nhs_number, request_id=call, ods_code=service.ods_code)
    return parts.pds.search(question.params, request_id=call, ods_code=service.ods_code)
