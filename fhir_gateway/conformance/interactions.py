"""The operation types of TestScript and what each sends.

https://hl7.org/fhir/R4/valueset-testscript-operation-codes.html, and for the interactions
https://hl7.org/fhir/R4/http.html. R5's names of the same are known as well.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interaction:
    """`place`: what the address is made of: system (the base), type, instance, version, history,
    metadata. `body`: whether the source is its content."""

    method: str
    place: str
    body: bool = False


_READ = Interaction("GET", "instance")
INTERACTIONS: dict[str, Interaction] = {
    "read": _READ,
    "vread": Interaction("GET", "version"),
    "update": Interaction("PUT", "instance", body=True),
    "updateCreate": Interaction("PUT", "instance", body=True),
    "patch": Interaction("PATCH", "instance", body=True),
    "delete": Interaction("DELETE", "instance"),
    "deleteCondSingle": Interaction("DELETE", "type"),
    "deleteCondMultiple": Interaction("DELETE", "type"),
    "deleteHistory": Interaction("DELETE", "history"),
    "deleteHistoryVersion": Interaction("DELETE", "version"),
    "history": Interaction("GET", "history"),
    "create": Interaction("POST", "type", body=True),
    "search": Interaction("GET", "type"),
    "batch": Interaction("POST", "system", body=True),
    "transaction": Interaction("POST", "system", body=True),
    "capabilities": Interaction("GET", "metadata"),
}
#: The older name of some, and what R4's restful-interaction codes call them.
_ALIASES = {
    "create-conditional": "create",
    "history-instance": "history",
    "history-type": "history",
    "history-system": "history",
    "search-type": "search",
    "search-system": "search",
    "conformance": "capabilities",
    "update-create": "updateCreate",
}
#: Operations of FHIR that the code system names; each is called as `$name`.
NAMED = frozenset(
    "apply closure find-matches conforms data-requirements document evaluate evaluate-measure "
    "everything expand find graphql implements lastn lookup match meta meta-add meta-delete "
    "populate populatehtml populatelink process-message questionnaire stats subset subsumes "
    "transform translate validate validate-code versions preferred-id submit-data collect-data "
    "care-gaps".split()
)
#: Operations that are always invoked by POST (they change something, or need a body).
BY_POST = frozenset(
    "apply closure match meta-add meta-delete process-message questionnaire submit-data "
    "validate transform populate".split()
)
METHODS = frozenset("DELETE GET OPTIONS PATCH POST PUT HEAD".split())


def interaction(code: str) -> Interaction | None:
    """The interaction of a code; None when it is not one of REST."""
    return INTERACTIONS.get(_ALIASES.get(code, code))


def operation_name(code: str) -> str:
    """The name of the FHIR operation that a code stands for, without `$`; empty for none."""
    name = code.removeprefix("$")
    return name if name in NAMED or code.startswith("$") else ""
