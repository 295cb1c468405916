"""References between resources: which are local, how they are rewritten, and what they link.

https://hl7.org/fhir/R4/references.html#literal
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from fhir_gateway.fhir.bundle import references
from fhir_gateway.fhir.outcome import issue
from fhir_gateway.fhir.types import Element, Resource

#: https://hl7.org/fhir/R4/datatypes.html#id
ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_LOCAL = re.compile(r"([A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(/_history/[A-Za-z0-9\-.]{1,64})?")
_EXTERNAL = re.compile(r"https?://[^\s/?#]+", re.IGNORECASE)
#: Elements that a server rewrites when they name an entry of the transaction
#: (https://hl7.org/fhir/R4/http.html#trules): references, and elements of type uri and url.
_REWRITTEN = ("reference", "url", "valueUri", "valueUrl")


class Key(NamedTuple):
    """A resource of this server, whichever its version."""

    type: str
    id: str

    def __str__(self) -> str:
        return f"{self.type}/{self.id}"


def local_key(reference: str) -> Key | None:
    """The resource that a relative reference names, or None for any other reference."""
    match = _LOCAL.fullmatch(reference.partition("#")[0])
    return Key(match[1], match[2]) if match else None


def is_conditional(reference: str) -> bool:
    """Whether it names a resource by a search, such as `Patient?identifier=system|value`."""
    return re.match(r"[A-Za-z]+\?", reference) is not None


def links(resource: Resource) -> set[Key]:
    """Every resource of this server that a resource refers to, at whatever depth."""
    found = (local_key(element["reference"]) for element in references(resource))
    return {key for key in found if key}


#: Given an element's name (such as `reference` or `url`) and value, its new value; None: no change.
Change = Callable[[str, str], str | None]


def rewritten(value: Any, change: Change) -> Any:
    """A copy of JSON in which every reference, uri and url became what `change` makes of it."""
    if isinstance(value, list):
        return [rewritten(part, change) for part in value]
    if not isinstance(value, dict):
        return value
    copy = {}
    for key, part in value.items():
        if key in _REWRITTEN and isinstance(part, str):
            changed = change(key, part)
            copy[key] = part if changed is None else changed
        else:
            copy[key] = rewritten(part, change)
    return copy


def relative_to(base: str) -> Change:
    """A change for `rewritten`: absolute references to this server lose its address.

    So what is stored stays right when the server moves to another address.
    """
    prefix = base + "/"

    def change(_: str, reference: str) -> str | None:
        inner = reference.removeprefix(prefix)
        return inner if inner != reference and local_key(inner) else None

    return change


def unresolvable(resource: Resource) -> Iterator[Element]:
    """An issue for each reference that can never be resolved, here or elsewhere.

    Fine are: relative ones (whose target is looked up later), fragments, and other servers' URLs.
    """
    for element in references(resource):
        reference = element["reference"]
        if reference.startswith("#") or local_key(reference) or _EXTERNAL.match(reference):
            continue
        yield issue("error", "not-found", f"A reference leads nowhere: {_kind(reference)}.")


def _kind(reference: str) -> str:
    """What sort of reference it is, without its text, which could hold personal data."""
    if reference.startswith("urn:"):
        return "a urn that no entry of the Bundle has as its fullUrl"
    if is_conditional(reference):
        return "a conditional reference outside a transaction"
    return "neither relative, absolute, a fragment nor a urn"
