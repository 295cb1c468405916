"""The resources of a request's Bundle as parts that can be sent one by one. Pure."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fhir_gateway.errors import Defect
from fhir_gateway.fhir.bundle import references
from fhir_gateway.fhir.identifiers import REQUEST_ID
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str

#: Where a request is looked for: the first of these types that has the request's identifier.
ROOTS = ("ServiceRequest", "Communication", "DocumentReference", "Task")


@dataclass(frozen=True, slots=True)
class Part:
    """One resource. `full_url`: its name within the Bundle; `criteria`: its If-None-Exist."""

    full_url: str
    resource: Resource
    criteria: str = ""

    @property
    def type(self) -> str:
        """Its resource type."""
        return as_str(self.resource.get("resourceType"))

    @property
    def client_id(self) -> str:
        """The id under which it can be PUT: the same each time the request is mapped."""
        return self.full_url.rsplit(":", 1)[-1]

    @property
    def identified(self) -> bool:
        """Whether it carries the request's identifier."""
        given = self.resource.get("identifier")
        return any(as_dict(i).get("system") == REQUEST_ID for i in as_list(given) or [given])


def parts_of(bundle: Resource) -> list[Part]:
    """The parts in such an order that each comes after those it refers to, else as in the Bundle.

    Raises Defect when they refer to each other in a circle: they cannot be sent one by one.
    """
    waiting = [
        Part(
            as_str(entry.get("fullUrl")),
            entry["resource"],
            as_str(as_dict(entry.get("request")).get("ifNoneExist")),
        )
        for entry in map(as_dict, as_list(bundle.get("entry")))
        if isinstance(entry.get("resource"), dict)
    ]
    if len({p.full_url for p in waiting}) != len(waiting):
        # Provenance and its like may have no fullUrl: name them by their place.
        waiting = [
            p if p.full_url else replace(p, full_url=f"entry:{i}") for i, p in enumerate(waiting)
        ]
    ordered: list[Part] = []
    while waiting:
        names = {p.full_url for p in waiting}
        ready = next((p for p in waiting if not _refers_to(p) & (names - {p.full_url})), None)
        if ready is None:
            raise Defect("Resources of the Bundle refer to each other.", code="bundle-circle")
        waiting.remove(ready)
        ordered.append(ready)
    return ordered


def root_of(parts: Sequence[Part]) -> Part:
    """The part by which a delivered request is found again. Raises Defect when there is none."""
    for root in ROOTS:
        for part in parts:
            if part.type == root and part.identified:
                return part
    raise Defect("Nothing in the Bundle carries the request's identifier.", code="no-root")


def rewritten(resource: Resource, names: Mapping[str, Element]) -> Resource:
    """A copy in which references to names of the Bundle become what they stand for: a Reference
    with the id in the EPR, or a logical one. What else a Reference says (display) stays."""
    copied = copy.deepcopy(resource)
    for reference in references(copied):
        known = names.get(reference["reference"])
        if known is not None:
            del reference["reference"]
            reference.update({k: v for k, v in known.items() if k not in reference})
    return copied


def literal(reference: str) -> Element:
    """A Reference to `Type/id`."""
    return {"reference": reference}


def logical(resource: Resource) -> Element:
    """A Reference by type, identifier and name, for a resource that the EPR does not have.

    https://hl7.org/fhir/R4/references.html#logical
    """
    element: Element = {"type": resource["resourceType"]}
    given = resource.get("identifier")
    first = as_dict((as_list(given) or [given])[0])
    identifier = {key: first[key] for key in ("system", "value") if key in first}
    if identifier:
        element["identifier"] = identifier
    display = _name(resource)
    if display:
        element["display"] = display
    if len(element) == 1:
        element["display"] = f"{resource['resourceType']} that this system does not keep"
    return element


def _name(resource: Resource) -> str:
    given = resource.get("name")
    if isinstance(given, str):
        return given
    name = as_dict((as_list(given) or [{}])[0])
    words = [*map(as_str, as_list(name.get("given"))), as_str(name.get("family"))]
    return as_str(name.get("text")) or " ".join(w for w in words if w)


def _refers_to(part: Part) -> set[str]:
    return {reference["reference"] for reference in references(part.resource)}
