"""Does the record that PDS returned belong to the person who wrote? Pure.

The policy (docs/decisions/0018): a request is matched only when all of this holds:
- one record was returned, neither restricted nor of somebody who died, of a person of 16 or older;
- names, full date of birth and postcode agree, but for at most one difference that is forgiven;
- an NHS number that was typed is the record's, or led to it because it was superseded;
- a phone number was verified by code, it is the patient's own, and it is on the record now.
Anything less is delivered as unmatched, with what agreed and what did not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date

from fhir_gateway.fhir.types import Resource, as_str
from fhir_gateway.matching import record as pds
from fhir_gateway.matching.demographics import Demographics
from fhir_gateway.matching.names import NameFit, fit_names, gives_every_name
from fhir_gateway.matching.outcome import Evidence, Identity, Level, Outcome, Status
from fhir_gateway.matching.policy import DEFAULT_POLICY, DIFFERENCE_TEXT, Difference, Policy
from fhir_gateway.matching.spelling import fold_postcode, one_postcode_slip

_FULL_DATE = 10
#: What the history of a record can explain; a search shows the present only.
_IN_HISTORY = frozenset({"name.family", "address.postalCode"})


@dataclass(frozen=True, slots=True)
class Proof:
    """What was verified beside the details.

    `numbers`: phone numbers whose code was accepted. `by_patient`: the patient wrote, not somebody
    for them. `same_number`: compares phone numbers however they are written.
    """

    numbers: tuple[str, ...]
    by_patient: bool
    same_number: Callable[[str, str], bool]


@dataclass(slots=True)
class _Findings:
    evidence: list[Evidence] = field(default_factory=list)
    differences: set[Difference] = field(default_factory=set)

    def add(self, name: str, agrees: bool | None, text: str) -> bool:
        self.evidence.append(Evidence(name, agrees, text))
        return agrees is not False


def grade(
    typed: Demographics,
    record: Resource,
    proof: Proof,
    *,
    today: date,
    asked: str | None = None,
    policy: Policy = DEFAULT_POLICY,
) -> Identity:
    """Compare a record with what was typed. `asked`: the NHS number by which it was read."""
    found = _Findings()
    fit = fit_names(record, typed, today)
    names = _names(found, fit)
    born = _birth_date(found, typed, record)
    postcode = _postcode(found, typed, record, today)
    number, superseded = _number(found, typed, record, asked)
    contact = _contact(found, record, proof, today)
    barrier = _barrier(found, record)
    details = names and born is True and postcode and number
    trusted = _within_policy(found, typed, record, policy, today, same_sex=_same_sex(typed, record))
    differences = frozenset(found.differences)
    evidence = tuple(found.evidence)
    if details and trusted and contact and barrier is None:
        won = Outcome.MATCHED_SUPERSEDED if superseded else Outcome.MATCHED
        own = as_str(record.get("id"))
        return Identity(Level.VERIFIED, Status.VERIFIED, own, evidence, won, differences)
    agree = names and born is not False and number
    level, status, outcome = _unmatched(typed, barrier, agree=agree, number=number)
    return Identity(level, status, typed.nhs_number, evidence, outcome, differences)


def history_may_help(identity: Identity, *, needs_phone: bool = True) -> bool:
    """Whether reading the whole record could turn this into a match: only one thing stands in the
    way, and it may be an earlier name or address, which a search does not show. `needs_phone`:
    False where nobody could prove one, as when an operator traces."""
    against = [
        e.field
        for e in identity.evidence
        if e.agrees is False and (needs_phone or e.field != "telecom")
    ]
    return len(against) == 1 and against[0] in _IN_HISTORY and not identity.differences


def _unmatched(
    typed: Demographics, barrier: Outcome | None, *, agree: bool, number: bool
) -> tuple[Level, Status, Outcome]:
    if barrier is Outcome.DECEASED:
        return Level.CONFLICTING, Status.CONFLICT, Outcome.DECEASED
    if not number:
        return Level.CONFLICTING, Status.CONFLICT, Outcome.NUMBER_CONFLICT
    if not agree:
        if typed.nhs_number:
            return Level.CONFLICTING, Status.CONFLICT, barrier or Outcome.NUMBER_CONFLICT
        return Level.CONFLICTING, Status.NO_OR_MANY, barrier or Outcome.DETAILS_DIFFER
    status = Status.PRESENT_NOT_TRACED if typed.nhs_number else Status.TRACE_REQUIRED
    return Level.PROBABLE, status, barrier or Outcome.NOT_PROVEN


def _names(found: _Findings, fit: NameFit) -> bool:
    """Family and given name must agree with one and the same name of the record."""
    found.differences |= fit.differences
    for name, text, part in (
        ("name.family", "family name", fit.family),
        ("name.given", "given name", fit.given),
    ):
        about = [DIFFERENCE_TEXT[d] for d in sorted((part or frozenset()) | fit.whole)]
        shown = ", ".join([text, *about]) if part is not None else text
        found.add(name, part is not None, shown)
    return fit.family is not None and fit.given is not None


def _birth_date(found: _Findings, typed: Demographics, record: Resource) -> bool | None:
    """None: the record has less than a full date, and as far as it goes it agrees."""
    known = as_str(record.get("birthDate"))
    if known and len(known) < _FULL_DATE:
        agrees = None if typed.birth_date.startswith(known) else False
        found.add("birthDate", agrees, "date of birth, of which PDS has only a part")
        return agrees
    same = bool(known) and typed.birth_date == known
    found.add("birthDate", same, "date of birth")
    return same


def _postcode(found: _Findings, typed: Demographics, record: Resource, today: date) -> bool:
    written = fold_postcode(typed.postcode)
    now = pds.postcodes(record, today, current=True)
    if written and written in now:
        return found.add("address.postalCode", True, "postcode of a current address")
    difference = None
    if written and written in pds.postcodes(record, today, current=False):
        difference = Difference.PREVIOUS_ADDRESS
    elif any(one_postcode_slip(written, known) for known in now):
        difference = Difference.POSTCODE_SLIP
    if difference is None:
        return found.add("address.postalCode", False, "postcode of a current address")
    found.differences.add(difference)
    text = f"postcode, {DIFFERENCE_TEXT[difference]}"
    return found.add("address.postalCode", True, text)


def _same_sex(typed: Demographics, record: Resource) -> bool | None:
    """Looked at only where a short form is forgiven: NHS England advises against relying on it."""
    known = {"male", "female"}
    mine, theirs = typed.gender, as_str(record.get("gender"))
    return mine == theirs if mine in known and theirs in known else None


def _number(
    found: _Findings, typed: Demographics, record: Resource, asked: str | None
) -> tuple[bool, bool]:
    """(agrees, superseded). A superseded number leads to the record that took its place."""
    own = as_str(record.get("id"))
    superseded = asked is not None and asked != own
    if superseded:
        found.add("identifier", None, "NHS number, superseded: PDS gives another in its place")
    if typed.nhs_number is None:
        if not superseded:
            found.add("identifier", None, "NHS number, not given")
        return True, superseded
    if superseded and typed.nhs_number == asked:
        return True, True
    return found.add("identifier", typed.nhs_number == own, "NHS number"), superseded


def _contact(found: _Findings, record: Resource, proof: Proof, today: date) -> bool:
    """The number must be proved by code, the patient's own, and on the record now."""

    def among(known: Iterable[str]) -> bool:
        return any(proof.same_number(number, one) for number in proof.numbers for one in known)

    if not proof.by_patient:
        return found.add("telecom", False, "phone number, verified but not of the patient")
    if not proof.numbers:
        return found.add("telecom", False, "phone number, not verified by code")
    now = pds.phones(record, today, current=True)
    if among(now):
        return found.add("telecom", True, "phone number, verified by code and on the record")
    if among(pds.phones(record, today, current=False)):
        return found.add("telecom", False, "phone number, verified but expired on the record")
    what = "the record has another" if now else "the record has none"
    return found.add("telecom", False, f"phone number, verified by code, but {what}")


def _barrier(found: _Findings, record: Resource) -> Outcome | None:
    """What keeps every record from being matched by a machine."""
    if pds.is_restricted(record):
        text = "the record is restricted: say nothing of it to who wrote"
        found.add("meta.security", False, text)
        return Outcome.RESTRICTED
    if pds.is_dead(record):
        found.add("deceased", False, "the record is of a person who died")
        return Outcome.DECEASED
    found.add("meta.security", True, "the record is open")
    if pds.removal_code(record):
        found.add("registration", None, "no longer registered with a GP in England")
    return None


def _within_policy(
    found: _Findings,
    typed: Demographics,
    record: Resource,
    policy: Policy,
    today: date,
    *,
    same_sex: bool | None,
) -> bool:
    """Whether what differs may be forgiven, and nobody could be mistaken for a twin or a parent."""
    if _age(typed.birth_date, today) < policy.youngest:
        text = f"under {policy.youngest}: the phone on a child's record is usually a parent's"
        return found.add("age", False, text)
    differences = frozenset(found.differences)
    if not policy.allows(differences):
        text = "more than one difference" if len(differences) > 1 else "a difference not forgiven"
        return found.add("policy", False, text)
    if Difference.SHORT_FORM in differences and same_sex is not True:
        return found.add("gender", False, "sex, which a short form of a name needs")
    whole = not differences and gives_every_name(record, typed, today)
    if pds.is_multiple_birth(record) and not whole:
        text = "perhaps one of twins: every given name is needed, without a difference"
        return found.add("multipleBirth", False, text)
    return True


def _age(birth_date: str, today: date) -> int:
    """Whole years; 0 for what is no date."""
    try:
        born = date.fromisoformat(birth_date)
    except ValueError:
        return 0
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
