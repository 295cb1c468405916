"""The answer of `Patient/$match` (https://hl7.org/fhir/R4/patient-operation-match.html). Pure.

At most one candidate: application-restricted access to PDS gives no more. A restricted record is
never in it, nor that of a person who died.
"""

from __future__ import annotations

from fhir_gateway.fhir.outcome import outcome
from fhir_gateway.fhir.types import Element, Resource, as_str
from fhir_gateway.matching.outcome import Identity, Level, Outcome

MATCH_GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
_GRADES = {Level.VERIFIED: "certain", Level.PROBABLE: "probable", Level.CONFLICTING: "possible"}
#: How alike each grade counts where PDS gave no score of its own (a read).
_SCORES = {Level.VERIFIED: 1.0, Level.PROBABLE: 0.8, Level.CONFLICTING: 0.2}
_NOT_SHOWN = frozenset({Outcome.RESTRICTED, Outcome.DECEASED})
_ANSWERS = {True: "yes", False: "no", None: "not compared"}


def match_bundle(
    identity: Identity,
    record: Resource | None,
    *,
    base_url: str,
    score: float | None = None,
    only_certain: bool = False,
) -> Resource:
    """A searchset with the candidate and, as an OperationOutcome, the evidence.

    `base_url`: of the PDS that the record is of, without a slash at the end. `only_certain`: the
    operation's `onlyCertainMatches`. `score`: PDS's own, 0 to 1.
    """
    entries: list[Element] = []
    shown = record is not None and identity.outcome not in _NOT_SHOWN
    if record is not None and shown and (identity.matched or not only_certain):
        search: Element = {
            "extension": [{"url": MATCH_GRADE, "valueCode": _GRADES[identity.level]}],
            "mode": "match",
            "score": _SCORES[identity.level] if score is None else score,
        }
        number = as_str(record.get("id"))
        entries.append(
            {"fullUrl": f"{base_url}/Patient/{number}", "resource": record, "search": search}
        )
    total = len(entries)
    entries.append({"resource": _evidence(identity), "search": {"mode": "outcome"}})
    return {"resourceType": "Bundle", "type": "searchset", "total": total, "entry": entries}


def _evidence(identity: Identity) -> Resource:
    issues: list[Element] = [
        {
            "severity": "information",
            "code": "informational",
            "diagnostics": f"{one.field}: {one.text}: {_ANSWERS[one.agrees]}",
        }
        for one in identity.evidence
    ]
    level = f"{identity.level} ({identity.outcome}), verification status {identity.status}"
    first: Element = {"severity": "information", "code": "informational", "diagnostics": level}
    return outcome([first, *issues])
