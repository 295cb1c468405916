"""What one extraction works with."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from fhir_gateway.fhir import path
from fhir_gateway.fhir.bundle import derived_urn
from fhir_gateway.fhir.types import Element, Resource, as_str, extensions
from fhir_gateway.mapping.answered import Answered, Instance
from fhir_gateway.mapping.extensions import ALLOCATE_ID
from fhir_gateway.mapping.scope import Ledger, Scope


@dataclass(frozen=True, slots=True)
class Run:
    """Questionnaire, answers, further resources, where ids are derived from, and the ledger."""

    questionnaire: Resource
    answered: Answered
    resources: tuple[Resource, ...]
    namespace: uuid.UUID
    ledger: Ledger
    #: Urls of the extensions on the Questionnaire and its items: what need not be looked for.
    used: frozenset[str]
    _urns: dict[str, int] = field(default_factory=dict)

    def allocate(self, element: Element, place: str) -> dict[str, str]:
        """The ids that an element allocates, by variable name; new for each instance of an item."""
        names = [as_str(e.get("valueString")) for e in extensions(element, ALLOCATE_ID)]
        return {name: derived_urn(self.namespace, f"{place}#{name}") for name in names if name}

    def urn(self, place: str) -> str:
        """An address for a resource made at `place`: the same each time, another for each one."""
        count = self._urns[place] = self._urns.get(place, -1) + 1
        return derived_urn(self.namespace, f"{place}#{count}" if count else place)

    def scopes(self, root: Scope) -> Iterator[tuple[Instance, Scope]]:
        """Each answered instance with the scope of its expressions, parents before children."""
        for instance in self.answered.instances:
            yield from self._scopes(instance, root)

    def _scopes(self, instance: Instance, above: Scope) -> Iterator[tuple[Instance, Scope]]:
        scope = self.scope(instance, above)
        yield instance, scope
        # What an item allocates is seen by itself and below.
        for child in instance.below:
            yield from self._scopes(child, scope)

    def scope(self, instance: Instance, above: Scope) -> Scope:
        """The scope of an instance: itself as context, the item, and the ids it allocates."""
        if not instance.item.raw.get("extension") and not instance.item.raw.get("definition"):
            return above  # nothing is evaluated here
        node = path.node_of(instance.element, "QuestionnaireResponse.item")
        allocated = self.allocate(instance.item.raw, instance.place)
        return above.inner(node, "", qitem=instance.item.raw, **allocated)
