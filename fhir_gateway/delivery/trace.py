"""The step `trace`: ask PDS, grade what it returns. Its outcome never reaches who wrote."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import structlog

from fhir_gateway.delivery import backoff
from fhir_gateway.delivery.candidates import close_candidates
from fhir_gateway.delivery.engine import Wait
from fhir_gateway.delivery.identify import Traced, identify
from fhir_gateway.delivery.parts import Parts
from fhir_gateway.delivery.submitted import Submitted, read_submitted
from fhir_gateway.errors import Refused, TryLater
from fhir_gateway.fhir.types import Element
from fhir_gateway.matching import demographics, plan
from fhir_gateway.matching.grade import Proof
from fhir_gateway.matching.outcome import STATUS_DISPLAY, Outcome, without_record
from fhir_gateway.pds.answers import Answer
from fhir_gateway.pds.gate import BUSY
from fhir_gateway.provider.service import Service
from fhir_gateway.sms.number import same_number
from fhir_gateway.store import requests
from fhir_gateway.store.requests import Request, RequestState

#: A request does not wait longer for PDS; it goes on as unmatched, trace required.
PATIENCE = timedelta(minutes=15)
#: PDS did not take our credentials, also after a new token; looked at again after so many seconds.
_CREDENTIALS, _CREDENTIALS_PAUSE = "pds-401", 60.0
_log = structlog.get_logger("delivery")


def trace(parts: Parts, request_id: str, tries: int) -> Wait:
    """Trace the patient of an accepted request and keep the outcome."""
    with parts.database.reading() as tx:
        request = requests.find(tx, request_id)
        if request is None or request.state is not RequestState.ACCEPTED:
            return None
        service = parts.service(tx, request.service_slug)
    submitted = read_submitted(parts, request)
    try:
        traced = _identify(parts, request, service, submitted)
    except TryLater as error:
        if parts.clock() - request.accepted_at < PATIENCE:
            # A queue before PDS is no trouble of PDS: who stands in it does not wait longer and
            # longer.
            return backoff.wait(
                0 if error.code == BUSY else tries, after=error.after, rng=parts.rng
            )
        typed = demographics.of_patient(submitted.patient)
        traced = Traced(without_record(typed, Outcome.UNREACHABLE), None, None, ())
    candidates = [] if traced.identity.matched else close_candidates(parts, service, submitted)
    now = parts.clock()
    stored = as_stored(traced, candidates, now.isoformat())
    with parts.database.transaction(redone=True) as tx:
        requests.save_identity(tx, request_id, stored)
        detail = f"{traced.identity.level} ({traced.identity.outcome})"
        requests.move(tx, request_id, RequestState.TRACED, now=now, detail=detail)
    return None


def as_stored(traced: Traced, candidates: list[Element], moment: str) -> dict[str, Any]:
    """The outcome as it is kept, sealed, and as mappings see it under `%identity`. The PDS record
    is kept only when the request is matched to it."""
    identity = traced.identity
    return {
        "level": identity.level.value,
        "status": identity.status.value,
        "statusDisplay": STATUS_DISPLAY[identity.status],
        "matched": identity.matched,
        "traced": moment,
        **({"nhsNumber": identity.nhs_number} if identity.nhs_number else {}),
        "evidence": [
            {
                "field": e.field,
                "agrees": {True: "yes", False: "no", None: "not compared"}[e.agrees],
                "text": e.text,
            }
            for e in identity.evidence
        ],
        "outcome": identity.outcome.value,
        "steps": list(traced.steps),
        **({"candidates": candidates} if candidates else {}),
        **({"record": traced.record} if identity.matched and traced.record else {}),
    }


def _identify(parts: Parts, request: Request, service: Service, submitted: Submitted) -> Traced:
    verified = request.evidence.get("verified") or {}
    mobile = submitted.writer_mobile
    return identify(
        demographics.of_patient(submitted.patient),
        Proof(
            numbers=(mobile,) if mobile and mobile in verified else (),
            by_patient=submitted.by_patient,
            same_number=same_number,
        ),
        lambda question: _ask(parts, request, service, question),
        today=request.accepted_at.date(),
        bound_to=(request.evidence.get("bound_to") or {}).get("nhs_number"),
        policy=parts.policy,
    )


def _ask(parts: Parts, request: Request, service: Service, question: plan.Question) -> Answer:
    # The same for each try of the same question, as PDS asks.
    call = uuid.uuid5(uuid.UUID(request.id), f"pds:{question.step}")
    try:
        if isinstance(question, plan.Read):
            return parts.pds.read(question.nhs_number, request_id=call, ods_code=service.ods_code)
        return parts.pds.search(question.params, request_id=call, ods_code=service.ods_code)
    except Refused as refused:
        if refused.code != _CREDENTIALS:
            raise
        # It says nothing of this patient: they are mended for all, perhaps within our patience.
        _log.error("pds refuses our credentials", request=request.id, code=refused.code)
        raise TryLater(str(refused), code=refused.code, after=_CREDENTIALS_PAUSE) from None
