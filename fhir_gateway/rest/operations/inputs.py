"""What an operation is given: a Parameters resource, a bare resource, or parameters of a query.

https://hl7.org/fhir/R4/operations.html#request
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str
from fhir_gateway.rest.access import require
from fhir_gateway.rest.problem import BAD_REQUEST, Problem
from fhir_gateway.rest.registry import Call, Interaction, Registry

_GENERAL = frozenset({"_format", "_pretty", "_summary", "_elements"})
_MAX_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Inputs:
    """The parameters of one call, in order. Of a query each is a text."""

    parts: Sequence[Element]

    def resource(self, *names: str) -> Resource | None:
        """The resource of the first parameter that is called so."""
        return next((as_dict(p["resource"]) for p in self.named(*names) if p.get("resource")), None)

    def value(self, *names: str) -> Any:
        """The value of the first parameter that is called so, of whatever type; None: not given."""
        return next((v for p in self.named(*names) if (v := value_of(p)) is not None), None)

    def text(self, *names: str) -> str:
        """The same where it is a text, else ''."""
        return as_str(self.value(*names))

    def flag(self, name: str) -> bool:
        """A boolean, false where it is not given. Raises Problem (400) for another value."""
        value = self.value(name)
        if value is None or value is False or value == "false":
            return False
        if value is True or value == "true":
            return True
        raise Problem(BAD_REQUEST, "value", f"'{name}' must be true or false.")

    def number(self, name: str) -> int | None:
        """A whole number from 0 up. Raises Problem (400) for another value."""
        value = self.value(name)
        if value is None:
            return None
        text = str(value)
        if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
            raise Problem(BAD_REQUEST, "value", f"'{name}' must be a whole number.")
        return int(text)

    def named(self, *names: str) -> Iterator[Element]:
        """The parameters of these names."""
        return (part for part in self.parts if part.get("name") in names)


def value_of(part: Element) -> Any:
    """The value[x] of a parameter, or None."""
    return next((v for key, v in part.items() if key.startswith("value")), None)


def inputs_of(call: Call, *, bare: Collection[str] = (), name: str = "resource") -> Inputs:
    """What a call was given; a query adds to a body. A body that is no Parameters becomes the
    parameter `name`. `bare`: the types it may have (none given: any).

    Raises Problem (400) for another body.
    """
    query = [
        {"name": key, "valueString": value} for key, value in call.parameters if key not in _GENERAL
    ]
    given = call.resource
    if given is None:
        return Inputs(query)
    if given.get("resourceType") == "Parameters":
        parts = [as_dict(part) for part in as_list(given.get("parameter"))]
        return Inputs([*parts, *query])
    if bare and given.get("resourceType") not in bare:
        raise Problem(
            BAD_REQUEST, "invalid", f"The body must be Parameters or {' or '.join(sorted(bare))}."
        )
    return Inputs([{"name": name, "resource": given}, *query])


def stored_resource(registry: Registry, call: Call) -> Resource:
    """The resource at the address of an operation on one, for who may read it. Raises Problem:
    400 where the address has no id, 401, 403 and 404 as a read does."""
    served = registry.find(call.resource_type)
    read = served.handlers.get(Interaction.READ) if served else None
    if not call.id or served is None or read is None:
        raise Problem(BAD_REQUEST, "required", "There is no resource in the body.")
    if Interaction.READ not in served.public:
        call = replace(call, access=require(call.request, call.resource_type, "r"))
    found = read(call).resource
    if found is None:
        raise Problem(BAD_REQUEST, "required", "There is no resource.")
    return found


def parameters(*parts: Element) -> Resource:
    """A Parameters resource."""
    return {"resourceType": "Parameters", "parameter": list(parts)}
