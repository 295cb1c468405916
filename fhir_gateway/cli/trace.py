"""`trace`: an operator traces a patient on PDS, by the same plan and grading as a request."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fhir_gateway.cli.terminal import AsJson, fail, plain_errors, say, show_json, show_table

if TYPE_CHECKING:
    from fhir_gateway.app import Gateway
    from fhir_gateway.delivery.identify import Traced
    from fhir_gateway.fhir.types import Resource
    from fhir_gateway.store.database import Transaction

#: Seconds that one call may wait for its turn or before another try.
_PATIENCE = 30.0
_ANSWERS = {True: "yes", False: "no", None: "not compared"}


def trace(
    reason: Annotated[
        str, typer.Option(help="Why; kept with your name. Needed: each trace is audited.")
    ],
    ods_code: Annotated[
        str, typer.Option(help="ODS code of the organisation on whose behalf you trace.")
    ],
    patient: Annotated[
        Path | None,
        typer.Option(
            help="File with a FHIR Patient as somebody gave it, - for standard input. Without, you "
            "are asked: details of people do not belong on a command line, which others can see."
        ),
    ] = None,
    operator: Annotated[
        str, typer.Option(help="Who traces. Default: your user name on this machine.")
    ] = "",
    match: Annotated[
        bool, typer.Option("--match", help="Print the Bundle that Patient/$match would give.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Trace a patient on PDS and show what agrees. Nobody's phone was verified, so the best level
    is probable. Each trace is recorded here and in the access audit of PDS."""
    from fhir_gateway.fhir.identifiers import is_ods_code
    from fhir_gateway.matching.match_bundle import match_bundle

    if not reason.strip():
        fail("Say why you trace: --reason.", code=2)
    if not is_ods_code(ods_code):
        fail("An ODS code has 3 to 12 capital letters and digits.", code=2)
    with plain_errors():
        submitted = _read(patient) if patient else _ask()
        gateway = _gateway()
        try:
            asked = {"reason": reason, "patient": submitted}
            traced = _trace(gateway, operator or getpass.getuser(), ods_code, asked)
        finally:
            gateway.close()
    if match:
        pds = gateway.parts.pds.base_url
        show_json(match_bundle(traced.identity, traced.record, base_url=pds, score=traced.score))
    elif as_json:
        show_json(_as_json(traced))
    else:
        _show(traced)


def _trace(gateway: Gateway, operator: str, ods_code: str, asked: dict[str, Any]) -> Traced:
    """Look the person up, and record who did."""
    from contextlib import closing

    from fhir_gateway.audit import operators
    from fhir_gateway.delivery.lookup import look_up
    from fhir_gateway.neighbours import pds_client

    def ended(tx: Transaction, outcome: str, found: str | None) -> None:
        operators.of_trace(
            tx,
            who=operator,
            why=asked["reason"],
            nhs_number=found or _asked_number(asked),
            ods_code=ods_code,
            outcome=outcome,
            observer=gateway.site.base_url,
            now=gateway.parts.clock(),
        )

    client = pds_client(gateway.settings, gateway.database, patience=_PATIENCE)
    with closing(client):
        return look_up(
            gateway.parts,
            client,
            operator=operator,
            ods_code=ods_code,
            asked=asked,
            patient=asked["patient"],
            ended=ended,
        )


def _asked_number(asked: dict[str, Any]) -> str | None:
    """The NHS number that was asked for."""
    from fhir_gateway.matching.demographics import of_patient

    return of_patient(asked["patient"]).nhs_number


def _read(file: Path) -> Resource:
    import sys

    from fhir_gateway.fhir import json as fhir_json

    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        fail(f"{file} cannot be read ({type(error).__name__}).")
    try:
        found = fhir_json.parse(content, max_bytes=100_000)
    except fhir_json.JsonRefused:
        fail(f"{file} is not JSON.")
    if not isinstance(found, dict) or found.get("resourceType") != "Patient":
        fail(f"{file} is no FHIR Patient.")
    return found


def _ask() -> Resource:
    """What is asked for, as a Patient. An answer may be left empty but for the names."""
    from fhir_gateway.fhir.identifiers import NHS_NUMBER, identifier, normalise_nhs_number

    number = typer.prompt("NHS number (Enter for none)", default="", show_default=False)
    if number.strip() and normalise_nhs_number(number) is None:
        fail("This is no NHS number: its check digit is wrong, or it has not 10 digits.", code=2)
    family = typer.prompt("Family name")
    given = typer.prompt("Given name")
    born = typer.prompt("Date of birth (yyyy-mm-dd)")
    postcode = typer.prompt("Postcode", default="", show_default=False)
    known = normalise_nhs_number(number)
    return {
        "resourceType": "Patient",
        **({"identifier": [identifier(NHS_NUMBER, known)]} if known else {}),
        "name": [{"family": family, "given": [given]}],
        "birthDate": born.strip(),
        "address": [{"postalCode": postcode}],
    }


def _as_json(traced: Traced) -> dict[str, Any]:
    identity = traced.identity
    return {
        "level": identity.level,
        "outcome": identity.outcome,
        "status": identity.status,
        "nhs_number": _number(traced),
        "score": traced.score,
        "steps": list(traced.steps),
        "evidence": [
            {"field": e.field, "agrees": _ANSWERS[e.agrees], "text": e.text}
            for e in identity.evidence
        ],
    }


def _number(traced: Traced) -> str | None:
    """The record's NHS number, where it may be shown: not of a restricted record."""
    from fhir_gateway.matching.outcome import Level, Outcome

    open_ = traced.identity.outcome is not Outcome.RESTRICTED
    agrees = traced.identity.level in (Level.PROBABLE, Level.VERIFIED)
    return str(traced.record["id"]) if traced.record and open_ and agrees else None


def _show(traced: Traced) -> None:
    from fhir_gateway.matching.outcome import STATUS_DISPLAY

    identity = traced.identity
    say(f"{identity.level}: {identity.outcome} ({', '.join(traced.steps) or 'PDS was not asked'})")
    say(f"Verification status {identity.status}: {STATUS_DISPLAY[identity.status]}")
    number = _number(traced)
    if number:
        say(f"NHS number on PDS: {number[:3]} {number[3:6]} {number[6:]}")
    rows = [[e.field, e.text, _ANSWERS[e.agrees]] for e in identity.evidence]
    show_table(["Field", "What", "Agrees"], rows, empty="")


def _gateway() -> Gateway:
    from fhir_gateway.app import build
    from fhir_gateway.settings import load

    gateway = build(load())
    gateway.prepare()
    return gateway
