"""Which strategies an EPR can take by its own /metadata, which one follows, and what stands against
the configured one. Pure: the statement may come from the server or from a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fhir_gateway.epr.capability import Capability
from fhir_gateway.provider.endpoint import EprEndpoint, PatientPolicy, RepeatMode, Strategy

#: What requests are made of, in the order of the table.
TYPES = (
    "Patient ServiceRequest Communication QuestionnaireResponse Task DocumentReference "
    "RelatedPerson Provenance"
).split()
#: What a request can be found again by, per strategy: the first that the EPR takes.
_ROOTS = {
    Strategy.TRANSACTION: ("ServiceRequest", "Communication"),
    Strategy.CREATES: ("ServiceRequest",),
    Strategy.COMMUNICATION: ("Communication",),
    Strategy.DOCUMENT: ("DocumentReference",),
}


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether a strategy fits, and why, as a sentence."""

    strategy: Strategy
    fits: bool
    why: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """What follows from a statement. `problems`: against the configured endpoint, each a sentence;
    `notes`: what will be left out or needs care."""

    capability: Capability
    fits: tuple[Fit, ...]
    strategy: Strategy
    repeat: RepeatMode
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def assess(
    capability: Capability, endpoint: EprEndpoint | None = None, types: Sequence[str] = ()
) -> Assessment:
    """Assess a server. `endpoint`: how a service is configured to use it, when one is; `types`: the
    resource types that its mappings make."""
    fits = tuple(_fit(capability, strategy) for strategy in Strategy)
    strategy = next(fit.strategy for fit in fits if fit.fits)
    chosen = endpoint.strategy if endpoint else strategy
    return Assessment(
        capability,
        fits,
        strategy,
        repeat_mode(capability, strategy),
        tuple(_problems(capability, endpoint, fits)) if endpoint else (),
        tuple(_notes(capability, chosen, types or TYPES)),
    )


def repeat_mode(capability: Capability, strategy: Strategy) -> RepeatMode:
    """What makes a second send safe by what the server declares."""
    if strategy is Strategy.FILE:
        return RepeatMode.CONDITIONAL_CREATE
    roots = _taken_roots(capability, strategy)
    declared = [capability.types[root] for root in roots]
    if declared and all(of.conditional_create for of in declared):
        return RepeatMode.CONDITIONAL_CREATE
    if declared and all(of.update_create for of in declared):
        return RepeatMode.PUT_BY_CLIENT_ID
    if roots and all(capability.searches(root, "identifier") for root in roots):
        return RepeatMode.INTENT_SEARCH
    return RepeatMode.OPERATOR_CHECK


def _taken_roots(capability: Capability, strategy: Strategy) -> list[str]:
    return [r for r in _ROOTS.get(strategy, ()) if capability.can(r, "create")]


def _fit(capability: Capability, strategy: Strategy) -> Fit:
    """Strategies in the order in which they are preferred: that of the enumeration."""
    match strategy:
        case Strategy.TRANSACTION:
            declared = "transaction" in capability.system_interactions
            roots = _taken_roots(capability, strategy)
            why = "declares transaction" if declared else "does not declare transaction"
            return Fit(strategy, declared and bool(roots), f"{why}; {_creates(roots)}")
        case Strategy.CREATES | Strategy.COMMUNICATION | Strategy.DOCUMENT:
            roots = _taken_roots(capability, strategy)
            return Fit(strategy, bool(roots), _creates(roots) or "no create")
        case Strategy.MESSAGE:
            declared = "process-message" in capability.operations
            verb = "declares" if declared else "does not declare"
            return Fit(strategy, declared, f"{verb} $process-message")
        case Strategy.FILE:
            return Fit(strategy, True, "needs no API: an integration engine empties a folder")


def _creates(roots: Sequence[str]) -> str:
    return f"takes {' and '.join(roots)}" if roots else "takes no create of what carries a request"


def _problems(capability: Capability, endpoint: EprEndpoint, fits: Sequence[Fit]) -> list[str]:
    found = []
    if not capability.fhir_version.startswith("4."):
        version = capability.fhir_version or "none"
        found.append(f"It declares FHIR {version}; requests are R4 (4.0.1).")
    fit = next(f for f in fits if f.strategy is endpoint.strategy)
    if not fit.fits:
        found.append(f"The strategy '{fit.strategy}' does not fit: it {fit.why}.")
        return found
    if endpoint.strategy is Strategy.FILE:
        return found
    found.extend(_repeat_problems(capability, endpoint))
    if endpoint.patient is PatientPolicy.CREATE and not capability.can("Patient", "create"):
        found.append(
            "It takes no Patient, so a request about somebody it does not know waits for a person: "
            "set patient to 'require' or 'logical'."
        )
    if endpoint.patient is not PatientPolicy.CREATE and not capability.searches(
        "Patient", "identifier"
    ):
        found.append("It declares no search of Patient by identifier, which finds the record.")
    return found


def _repeat_problems(capability: Capability, endpoint: EprEndpoint) -> list[str]:
    best = repeat_mode(capability, endpoint.strategy)
    roots = _taken_roots(capability, endpoint.strategy)
    match endpoint.repeat:
        case RepeatMode.INTENT_SEARCH:
            unfound = [r for r in roots if not capability.searches(r, "identifier")]
            what = f"search of {' and '.join(unfound)} by identifier" if unfound else ""
        case RepeatMode.CONDITIONAL_CREATE:
            unsure = [r for r in roots if not capability.types[r].conditional_create]
            what = f"conditional create of {' and '.join(unsure)}" if unsure else ""
        case RepeatMode.PUT_BY_CLIENT_ID:
            unsure = [r for r in roots if not capability.types[r].update_create]
            what = f"update as create of {' and '.join(unsure)}" if unsure else ""
        case RepeatMode.OPERATOR_CHECK:
            what = ""
    if not what:
        return []
    return [f"It does not declare {what}, which repeat '{endpoint.repeat}' needs: use '{best}'."]


def _notes(capability: Capability, strategy: Strategy, types: Sequence[str]) -> list[str]:
    if strategy not in (Strategy.TRANSACTION, Strategy.CREATES):
        return []
    absent = sorted(t for t in set(types) if t != "Patient" and not capability.can(t, "create"))
    if not absent:
        return []
    names = ", ".join(absent)
    if strategy is Strategy.TRANSACTION:
        return [f"It does not declare create for {names}: a transaction with these may be refused."]
    return [f"It takes no {names}: these are left out, and referred to by identifier and name."]
