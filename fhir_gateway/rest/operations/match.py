"""`Patient/$match`: who is this, by PDS, with the gateway's own trace and grading.

https://hl7.org/fhir/R4/patient-operation-match.html. Each call is a trace on PDS: it is kept with
who asked, for whom and why, and PDS keeps it too. A restricted record is never shown.
"""

from __future__ import annotations

from fhir_gateway.delivery.identify import Traced
from fhir_gateway.delivery.lookup import look_up
from fhir_gateway.delivery.parts import Parts
from fhir_gateway.errors import Refused
from fhir_gateway.fhir.identifiers import is_ods_code
from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str
from fhir_gateway.matching.match_bundle import match_bundle
from fhir_gateway.rest.access import ALL, Access
from fhir_gateway.rest.operations.inputs import Inputs, inputs_of
from fhir_gateway.rest.problem import BAD_REQUEST, FORBIDDEN, UNPROCESSABLE, Problem
from fhir_gateway.rest.registry import Answer, Call, Operation, Registry

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
        traced.identity,
        traced.record,
        base_url=parts.pds.base_url,
        score=traced.score,
        only_certain=only_certain,
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
    """Look the person up for the client."""
    reason = (given.text("reason") or _REASON)[:_MAX_REASON]
    try:
        return look_up(
            parts,
            parts.pds,
            operator=f"client {access.client_id}"[:120],
            ods_code=ods_code,
            asked={"reason": reason, "patient": patient},
            patient=_whole(patient),
        )
    except Refused as error:
        raise Problem(UNPROCESSABLE, "processing", f"PDS refused ({error.code}).") from None


def _whole(patient: Resource) -> Resource:
    """Only what the trace reads, each part of the form that it reads."""
    name = as_dict(next(iter(as_list(patient.get("name"))), None))
    given = [as_str(part) for part in as_list(name.get("given")) if as_str(part)]
    return {**patient, "name": [{**name, "given": given}]} if name else patient
