"""Looking in an EPR for what an earlier try may have left there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from fhir_gateway.epr import landing
from fhir_gateway.epr.adapter import Landed
from fhir_gateway.epr.client import SEARCH_IGNORED, EprClient
from fhir_gateway.epr.parts import Part
from fhir_gateway.errors import OutcomeUnknown, Refused
from fhir_gateway.fhir.identifiers import REQUEST_ID
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str
from fhir_gateway.provider.endpoint import RepeatMode

_ABSENT = ("epr-404", "epr-410")


def look(
    client: EprClient,
    part: Part,
    request_id: str,
    mode: RepeatMode,
    names: Mapping[str, Element],
) -> Landed | None:
    """What a part became in the EPR; None when it is not there.

    `names`: what the names of the Bundle stand for, as far as it is known. Raises Refused,
    TryLater, and OutcomeUnknown when there is nothing to look with.
    """
    if mode is RepeatMode.PUT_BY_CLIENT_ID:
        return _by_id(client, part)
    capability = client.capability()
    if part.identified and capability.searches(part.type, "identifier"):
        return _by_identifier(client, part, request_id)
    if part.type == "Provenance" and capability.searches("Provenance", "target"):
        return _provenance(client, part, names)
    if mode is RepeatMode.CONDITIONAL_CREATE and part.criteria:
        return None  # sending again creates nothing twice
    raise _cannot_look(f"The EPR declares no search by which a {part.type} of ours could be found")


def _cannot_look(why: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"{why}: look there, then let the request go on or mark it delivered",
        code="epr-cannot-look",
    )


def _by_identifier(client: EprClient, part: Part, request_id: str) -> Landed | None:
    try:
        found = client.by_identifier(part.type, REQUEST_ID, request_id)
    except Refused as error:
        if error.code == SEARCH_IGNORED:
            raise _cannot_look(str(error)) from None
        raise
    return landing.of_resource(found[0]) if found else None


def _by_id(client: EprClient, part: Part) -> Landed | None:
    try:
        return landing.of_resource(client.read(f"{part.type}/{part.client_id}"))
    except Refused as error:
        if error.code in _ABSENT:
            return None
        raise


def _provenance(client: EprClient, part: Part, names: Mapping[str, Element]) -> Landed | None:
    """A Provenance has no identifier: it is known by its targets, its time and its activity."""
    for target in map(as_dict, as_list(part.resource.get("target"))):
        name = as_str(target.get("reference"))
        reference = as_str(names.get(name, target).get("reference"))
        if not reference or ":" in reference:
            continue
        found = client.found_by("Provenance", [("target", reference)])
        if found and not any(_names(one, reference) for one in found):
            raise _cannot_look("The EPR passes over the parameter target in a search of Provenance")
        same = [one for one in found if _key(one) == _key(part.resource)]
        return landing.of_resource(same[0]) if same else None
    return None


def _names(provenance: Resource, reference: str) -> bool:
    """Whether a reference, absolute or not, with a version or not, is among the targets."""
    targets = [as_str(as_dict(t).get("reference")) for t in as_list(provenance.get("target"))]
    return any(f"/{t.partition('/_history/')[0]}".endswith(f"/{reference}") for t in targets)


def _key(provenance: Resource) -> tuple[str, tuple[str, ...], int]:
    activity = as_dict(provenance.get("activity"))
    codes = tuple(as_str(as_dict(c).get("code")) for c in as_list(activity.get("coding")))
    return (
        _moment(as_str(provenance.get("recorded"))),
        codes,
        len(as_list(provenance.get("target"))),
    )


def _moment(text: str) -> str:
    """An instant as every server writes it, to the second."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC).isoformat(timespec="seconds")
    except ValueError:
        return text
