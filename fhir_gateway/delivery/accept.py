"""Accepting a request: from here on it must not be lost.

Response, reference, closed draft and enqueued workflow are one transaction, the caller's. The
page with the reference is shown after its commit, and sending twice finds the draft closed.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from fhir_gateway.delivery.engine import Engine
from fhir_gateway.errors import Defect
from fhir_gateway.fhir.identifiers import REQUEST_ID, identifier
from fhir_gateway.fhir.types import Resource
from fhir_gateway.journey import tokens
from fhir_gateway.journey.requests import Submission
from fhir_gateway.store import drafts, requests
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.drafts import Draft, DraftState

_REFERENCE_TRIES = 20


def accept(
    tx: Transaction, engine: Engine, draft: Draft, submission: Submission, *, now: datetime
) -> str:
    """Accept what a draft became; its reference. The caller commits."""
    reference = accept_response(
        tx,
        engine,
        request_id=str(uuid.uuid4()),
        draft_id=draft.id,
        service_slug=draft.service_slug,
        questionnaire=draft.questionnaire,
        response=submission.response,
        evidence=submission.evidence,
        now=now,
    )
    drafts.close(tx, draft.id, DraftState.SUBMITTED, now=now)
    return reference


def accept_response(
    tx: Transaction,
    engine: Engine,
    *,
    request_id: str,
    draft_id: str | None,
    service_slug: str,
    questionnaire: str,
    response: Resource,
    evidence: dict[str, Any],
    now: datetime,
) -> str:
    """Accept a completed, valid response, wherever it comes from; its reference. The caller
    commits."""
    reference = _free_reference(tx)
    requests.add(
        tx,
        request_id=request_id,
        reference=reference,
        draft_id=draft_id,
        service_slug=service_slug,
        questionnaire=questionnaire,
        # R4: QuestionnaireResponse has one identifier; it is the same on all that is made of it.
        response={**response, "identifier": identifier(REQUEST_ID, request_id)},
        evidence=evidence,
        now=now,
    )
    engine.enqueue(tx, request_id, service_slug, "")
    return reference


def _free_reference(tx: Transaction) -> str:
    for _ in range(_REFERENCE_TRIES):
        reference = tokens.reference()
        if not requests.reference_exists(tx, reference):
            return reference
    raise Defect("No free reference was found.", code="references-exhausted")
