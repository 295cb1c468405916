"""A look at PDS that somebody asked for, not a request: the intent is recorded, then the trace is
made, then its end is recorded, whatever it was.

One piece of code for the command `trace` and the operation `Patient/$match`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from fhir_gateway.delivery.identify import Traced, identify
from fhir_gateway.delivery.parts import Parts
from fhir_gateway.fhir.types import Resource
from fhir_gateway.matching import plan
from fhir_gateway.matching.demographics import of_patient
from fhir_gateway.matching.grade import Proof
from fhir_gateway.pds.answers import Answer
from fhir_gateway.pds.client import PdsClient
from fhir_gateway.sms.number import same_number
from fhir_gateway.store import operator_traces
from fhir_gateway.store.database import Transaction

#: Told, in the transaction that records the end: the outcome, and the NHS number that was found.
Ended = Callable[[Transaction, str, str | None], None]


def look_up(
    parts: Parts,
    client: PdsClient,
    *,
    operator: str,
    ods_code: str,
    asked: dict[str, Any],
    patient: Resource,
    ended: Ended = lambda _tx, _outcome, _found: None,
) -> Traced:
    """Trace `patient`, a FHIR Patient, for `operator`. `asked`: what is kept of who was asked for,
    and why.

    Raises Refused, TryLater, once the end is recorded as `failed`.
    """
    now = parts.clock()
    with parts.database.transaction() as tx:
        trace_id = operator_traces.begin(
            tx, operator=operator, ods_code=ods_code, asked=asked, now=now
        )
    calls: list[str] = []

    def ask(question: plan.Question) -> Answer:
        calls.append(question.step)
        call = uuid.uuid5(uuid.UUID(trace_id), f"pds:{question.step}")
        if isinstance(question, plan.Read):
            return client.read(question.nhs_number, request_id=call, ods_code=ods_code)
        return client.search(question.params, request_id=call, ods_code=ods_code)

    outcome, found = "failed", None
    try:
        traced = identify(
            of_patient(patient),
            Proof(numbers=(), by_patient=True, same_number=same_number),
            ask,
            today=now.date(),
            policy=parts.policy,
            needs_phone=False,
        )
        outcome, found = traced.identity.outcome.value, traced.identity.nhs_number
    finally:
        with parts.database.transaction() as tx:
            operator_traces.end(tx, trace_id, outcome=outcome, calls=len(calls))
            ended(tx, outcome, found)
    return traced
