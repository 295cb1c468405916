"""Definition-based extraction: items that name the elements they fill.

https://hl7.org/fhir/uv/sdc/extraction.html#definition-based-extraction, with the extensions of SDC
4.0 (definitionExtract, definitionExtractValue) and the one before them (itemExtractionContext).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fhir_gateway.fhir import path
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str, extensions
from fhir_gateway.mapping.answered import Instance
from fhir_gateway.mapping.builder import Builder, Place
from fhir_gateway.mapping.entries import RequestParts, entry
from fhir_gateway.mapping.extensions import (
    DEFINITION_EXTRACT,
    DEFINITION_EXTRACT_VALUE,
    ITEM_CONTEXT,
    ITEM_EXTRACTION_CONTEXT,
)
from fhir_gateway.mapping.profiles import profile_type
from fhir_gateway.mapping.run import Run
from fhir_gateway.mapping.scope import Scope, fhirpath_of
from fhir_gateway.mapping.values import type_of
from fhir_gateway.questionnaire.response import value_of

_MAKERS = frozenset({DEFINITION_EXTRACT, ITEM_EXTRACTION_CONTEXT, ITEM_CONTEXT})


@dataclass(slots=True)
class _Target:
    """A resource being made, its entry's parts and scope, and where it is written to."""

    builder: Builder
    parts: RequestParts
    scope: Scope
    place: str


def entries(run: Run, root: Scope) -> list[Element]:
    """The entries of all resources that the Questionnaire's definitions make."""
    if not run.used & _MAKERS:
        return []
    walk = _Walk(run, [])
    open_at_root = walk.opened(run.questionnaire, root, "")
    for one in open_at_root:
        walk.fixed_values(run.questionnaire, [one], root, one.builder.top())
    for instance in run.answered.instances:
        walk.visit(instance, open_at_root, root, {})
    return [made for target in walk.targets for made in _entry(run, target)]


def _entry(run: Run, target: _Target) -> Iterator[Element]:
    resource = target.builder.finished()
    if resource is None:
        return
    made = entry(resource, target.parts, target.scope, run.urn(target.place), target.place)
    if made is None:
        return
    given_id = resource.get("id")
    if isinstance(given_id, str) and made["request"]["method"] == "POST":
        # An item filled Resource.id: the resource that is known by it is brought up to date.
        url = f"{resource['resourceType']}/{given_id}"
        made = {**made, "request": {**made["request"], "method": "PUT", "url": url}}
    yield made


@dataclass(slots=True)
class _Walk:
    """One walk over the answers. The innermost open resource that fits a definition takes it."""

    run: Run
    targets: list[_Target]

    def visit(
        self,
        instance: Instance,
        targets: list[_Target],
        above: Scope,
        places: dict[int, Place],
    ) -> None:
        """Write an instance and all below it. `places`: where each open resource is written to."""
        scope = self.run.scope(instance, above)
        raw = instance.item.raw
        opened = self.opened(raw, scope, instance.place)
        targets = [*opened, *targets]
        own = bool(extensions(raw, DEFINITION_EXTRACT_VALUE)) and instance.item.is_question
        if opened or own or as_str(raw.get("definition")):
            places = {id(t): self._place(instance, t, places, own=own) for t in targets}
        for target in targets:
            place = places.get(id(target)) or target.builder.top()
            self.fixed_values(raw, [target], scope, place)
        if instance.item.is_question:
            self._answers(instance, targets, places)
        for child in instance.below:
            self.visit(child, targets, scope, places)

    def _place(
        self, instance: Instance, target: _Target, places: dict[int, Place], *, own: bool
    ) -> Place:
        """Where an instance writes: a group with a definition opens an element of its own, a
        question with further values of its own does not share what its siblings opened."""
        place = places.get(id(target)) or target.builder.top()
        if own:
            return place.apart()
        wanted = target.builder.path_of(as_str(instance.item.raw.get("definition")))
        if wanted and not instance.item.is_question:
            return target.builder.open(place, wanted)
        return place

    def _answers(
        self, instance: Instance, targets: list[_Target], places: dict[int, Place]
    ) -> None:
        definition = as_str(instance.item.raw.get("definition"))
        for target in targets:
            wanted = target.builder.path_of(definition)
            if not wanted:
                continue
            place = places.get(id(target)) or target.builder.top()
            for answer in map(as_dict, as_list(instance.element.get("answer"))):
                value_type, value = value_of(answer)
                if value_type:
                    target.builder.write(place, wanted, value, value_type, instance.item.raw)
            return

    def fixed_values(
        self, element: Element, targets: list[_Target], scope: Scope, place: Place
    ) -> None:
        """Write what the element's definitionExtractValue extensions say."""
        for extension in extensions(element, DEFINITION_EXTRACT_VALUE):
            parts = RequestParts.of(extension)
            definition = as_str(parts.value("definition"))
            for target in targets:
                wanted = target.builder.path_of(definition)
                if wanted:
                    for value, kind in self._given(parts, scope, definition):
                        target.builder.write(place, wanted, value, kind, element)

    def _given(
        self, parts: RequestParts, scope: Scope, definition: str
    ) -> Iterator[tuple[object, str]]:
        value_type, fixed = value_of(parts.parts.get("fixed-value", {}))
        if value_type:
            yield fixed, value_type
            return
        expression, _, other = fhirpath_of(parts.value("expression"))
        if other or not expression:
            self.run.ledger.note("error", "not-supported", "neither value nor FHIRPath", definition)
            return
        for node in scope.copies(expression, definition):
            yield path.plain(node), type_of(node)

    def opened(self, element: Element, scope: Scope, place: str) -> list[_Target]:
        """The resources that an element opens, noted as targets of the extraction."""
        found = []
        for position, (canonical, extension) in enumerate(_contexts(element)):
            resource_type = profile_type(canonical, self.run.questionnaire, self.run.resources)
            if not resource_type:
                text = f"'{canonical}' names no resource type or profile that is known here"
                self.run.ledger.note("error", "not-found", text, "")
                continue
            builder = Builder(canonical, resource_type, self.run.resources, self.run.ledger)
            where = f"{place}#{resource_type}{position}"
            found.append(_Target(builder, RequestParts.of(extension), scope, where))
        self.targets.extend(found)
        return found


def _contexts(element: Resource) -> Iterator[tuple[str, Element]]:
    """Canonical or type, and the extension, of each resource that an element says to make."""
    for extension in extensions(element, DEFINITION_EXTRACT):
        canonical = as_str(extension.get("valueCanonical"))
        yield canonical or as_str(RequestParts.of(extension).value("definition")), extension
    for url in (ITEM_EXTRACTION_CONTEXT, ITEM_CONTEXT):
        for extension in extensions(element, url):
            expression = as_dict(extension.get("valueExpression")).get("expression")
            named = as_str(extension.get("valueCode")) or as_str(expression).partition("?")[0]
            # itemContext also says what an element holds (ContactPoint): that makes no resource.
            if named and (url == ITEM_EXTRACTION_CONTEXT or profile_type(named, {}, ())):
                yield named, extension
