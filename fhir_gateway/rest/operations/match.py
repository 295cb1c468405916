"""`Patient/$match`: who is this, by PDS, with the gateway's own trace and grading.

https://hl7.org/fhir/R4/patient-operation-match.html. Each call is a trace on PDS: it is kept with
who asked, for whom and why, and PDS keeps it too. A restricted record is never shown.
"""

from __future__ import annotations

import uuid

from fhir_gateway.delivery.identify import Traced, identify
from fhir_gateway.delivery.parts import Parts
from fhir_gateway.errors import Refused
from fhir_gateway.fhir.identifiers import is_ods_code
from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str
from fhir_gateway.matching import plan
from fhir_gateway.matching.demographics import of_patient
from fhir_gateway.matching.grade import Proof
from fhir_gateway.matching.match_bundle import match_bundle
from fhir_gateway.pds.answers import Answer as PdsAnswer
from fhir_gateway.rest.access import ALL, Access
from fhir_gateway.rest.operations.inputs import Inputs, inputs_of
from fhir_gateway.rest.problem import BAD_REQUEST, FORBIDDEN, UNPROCESSABLE, Problem
from fhir_gateway.rest.registry import Answer, Call, Operation, Registry
from fhir_gateway.sms.number import same_number
from fhir_gateway.store import operator_traces

OPERATION = "http://hl7.org/fhir/OperationDefinition/Patient-match"
_REASON = "Patient/$match"
_MAX_REASON = 200


def register(registry: Registry, parts: Parts) -> None:
    """Serve it, to clients that may read Patients."""

    def handler(call: Call) -> Answer:
        return _match(parts, call)

    registry.operation(Operation("match", OPERATION, handler, "Patient", letter="r"))
    registry.type("Patient")


def _match(parts: Parts, call: Call) -> Answer:
    given = inputs_of(call, bare={"Patient"})
    patient = given.resource("resource")
    if patient is None or patient.get("resourceType") != "Patient":
        raise Problem(BAD_REQUEST, "required", "Whom? Give a Patient as the parameter 'resource'.")
    only_certain, count = given.flag("onlyCertainMatches"), given.number("count")
    if count == 0:
        raise Problem(BAD_REQUEST, "value", "'count' must be 1 or more.")
    _check_shape(patient)
    traced = _trace(parts, call.access, _on_behalf_of(call.access, given), given, patient)
    bundle = match_bundle(
        traced.identity, traced.record, score=traced.score, only_certain=only_certain
    )
    return Answer(bundle)


def _check_shape(patient: Resource) -> None:
    """What the trace reads must be of its type, or it would ask about somebody else."""
    for element, kind in (("name", list), ("birthDate", str), ("address", list)):
        if element in patient and not isinstance(patient[element], kind):
            raise Problem(
                UNPROCESSABLE,
                "structure",
                f"Patient.{element} has the wrong form.",
                expression=[f"Patient.{element}"],
            )
    if not (as_list(patient.get("name")) or as_list(patient.get("identifier"))):
        raise Problem(
            UNPROCESSABLE,
            "required",
            "A Patient needs an NHS number, or a name, a date of birth and a postcode.",
            expression=["Patient"],
        )


def _on_behalf_of(access: Access, given: Inputs) -> str:
    """The organisation that PDS is asked for: the client's own, or the parameter `provider`."""
    named = given.text("provider")
    if named:
        if not is_ods_code(named):
            raise Problem(BAD_REQUEST, "value", "'provider' must be an ODS code.")
        if not access.sees(named):
            raise Problem(FORBIDDEN, "forbidden", "This client does not act for that provider.")
        return named
    own = sorted(access.providers - {ALL})
    if len(own) != 1:
        raise Problem(
            BAD_REQUEST,
            "required",
            "For which organisation? Give its ODS code as the parameter 'provider'.",
        )
    return own[0]


def _trace(parts: Parts, access: Access, ods_code: str, given: Inputs, patient: Resource) -> Traced:
    """Record the intent, trace, record the end, whatever it is."""
    reason = (given.text("reason") or _REASON)[:_MAX_REASON]
    asked = {"reason": reason, "patient": patient}
    now = parts.clock()
    operator = f"client {access.client_id}"[:120]
    with parts.database.transaction() as tx:
        trace_id = operator_traces.begin(
            tx, operator=operator, ods_code=ods_code, asked=asked, now=now
        )
    calls: list[str] = []

    def ask(question: plan.Question) -> PdsAnswer:
        calls.append(question.step)
        call = uuid.uuid5(uuid.UUID(trace_id), f"pds:{question.step}")
        if isinstance(question, plan.Read):
            return parts.pds.read(question.nhs_number, request_id=call, ods_code=ods_code)
        return parts.pds.search(question.params, request_id=call, ods_code=ods_code)

    outcome = "failed"
    try:
        traced = identify(
            of_patient(_whole(patient)),
            Proof(numbers=(), by_patient=True, same_number=same_number),
            ask,
            today=now.date(),
            policy=parts.policy,
            needs_phone=False,
        )
        outcome = traced.identity.outcome.value
    except Refused as error:
        raise Problem(UNPROCESSABLE, "processing", f"PDS refused ({error.code}).") from None
    finally:
        with parts.database.transaction() as tx:
            operator_traces.end(tx, trace_id, outcome=outcome, calls=len(calls))
    return traced


def _whole(patient: Resource) -> Resource:
    """Only what the trace reads, each part of the form that it reads."""
    name = as_dict(next(iter(as_list(patient.get("name"))), None))
    given = [as_str(part) for part in as_list(name.get("given")) if as_str(part)]
    return {**patient, "name": [{**name, "given": given}]} if name else patient
