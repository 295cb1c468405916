"""`$extract`: a completed QuestionnaireResponse becomes a transaction Bundle. Pure.

SDC 4.0 template-based extraction (https://hl7.org/fhir/uv/sdc/extraction.html), from a
Questionnaire that contains its templates. Ids are derived from the response, so that extracting
again names the same resources.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir import path
from fhir_gateway.fhir.bundle import derived_urn, transaction
from fhir_gateway.fhir.outcome import issue, outcome
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str, extensions
from fhir_gateway.mapping.extensions import ALLOCATE_ID, EXTRACT
from fhir_gateway.mapping.template import Scope, fill
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.enablement import Enablement
from fhir_gateway.questionnaire.response import Node, ResponseTree, emit


@dataclass(frozen=True, slots=True)
class Extraction:
    """What came out: a transaction Bundle, and what went wrong on the way."""

    bundle: Resource
    outcome: Resource


def extract(
    questionnaire: Resource,
    response: Resource,
    *,
    resources: Iterable[Resource] = (),
    context: Mapping[str, Any] | None = None,
    namespace: uuid.UUID | None = None,
    now: datetime | None = None,
) -> Extraction:
    """Extract a response. Plain FHIR JSON in and out; never raises on a bad template.

    `resources`: templates that the questionnaire names but does not contain. `context`: launch
    context, name to JSON, seen as `%name`. `namespace`: where ids are derived from (None: from the
    response). `now`: the clock of expressions.
    """
    issues: list[Element] = []
    tree = ResponseTree(Definition(questionnaire), response)
    enablement = Enablement(tree, now=now)
    answered = enablement.response()
    run = _Run(
        templates=_templates(questionnaire, resources),
        namespace=namespace or _namespace(response),
        issues=issues,
    )
    variables = {
        **(context or {}),
        "resource": answered,
        "questionnaire": questionnaire,
        **run.allocate(questionnaire, ""),
    }
    root = Scope(path.node_of(answered, "QuestionnaireResponse"), variables, now, issues)
    entries = list(run.entries(questionnaire, root))
    for node in tree.roots:
        entries.extend(_below(run, node, enablement, root))
    return Extraction(transaction(entries), outcome(issues))


def _below(run: _Run, node: Node, enablement: Enablement, scope: Scope) -> Iterator[Element]:
    """The entries of an instance and of all below it; what is disabled or empty has none."""
    emitted = emit([node], enablement.is_enabled)
    if not emitted:
        return
    inner = scope
    if extensions(node.item.raw, EXTRACT) or extensions(node.item.raw, ALLOCATE_ID):
        place = "/".join(f"{link_id}[{index}]" for link_id, index in node.address)
        variables = {**scope.variables, **run.allocate(node.item.raw, place)}
        context = path.node_of(emitted[0], "QuestionnaireResponse.item")
        inner = Scope(context, variables, scope.now, scope.issues)
        yield from run.entries(node.item.raw, inner)
    for child in node.children:
        yield from _below(run, child, enablement, inner)


@dataclass(frozen=True, slots=True)
class _Run:
    """What one extraction works with."""

    templates: Mapping[str, Resource]
    namespace: uuid.UUID
    issues: list[Element]

    def allocate(self, element: Element, place: str) -> dict[str, str]:
        """The ids that an element allocates, by variable name."""
        names = [as_str(e.get("valueString")) for e in extensions(element, ALLOCATE_ID)]
        return {name: derived_urn(self.namespace, f"{place}#{name}") for name in names if name}

    def entries(self, element: Element, scope: Scope) -> Iterator[Element]:
        """The Bundle entries of the templates that an element names."""
        for position, extension in enumerate(extensions(element, EXTRACT)):
            parts = {
                as_str(part.get("url")): part
                for part in map(as_dict, as_list(extension.get("extension")))
            }
            reference = as_dict(parts.get("template", {}).get("valueReference"))
            name = as_str(reference.get("reference")).removeprefix("#")
            template = self.templates.get(name)
            if template is None:
                self.issues.append(issue("error", "not-found", f"template '{name}' is not there"))
                continue
            for resource in fill(_without_id(template), scope, name):
                yield self._entry(resource, parts, scope, f"{name}#{position}")

    def _entry(
        self, resource: Resource, parts: Mapping[str, Element], scope: Scope, place: str
    ) -> Element:
        request: Element = {"method": "POST", "url": resource["resourceType"]}
        given_id = self._part("resourceId", parts, scope)
        if given_id:
            resource = {"resourceType": resource["resourceType"], "id": given_id, **resource}
            request = {"method": "PUT", "url": f"{resource['resourceType']}/{given_id}"}
        for name in ("ifNoneMatch", "ifModifiedSince", "ifMatch", "ifNoneExist"):
            value = self._part(name, parts, scope)
            if value:
                request[name] = value
        full_url = self._part("fullUrl", parts, scope) or derived_urn(self.namespace, place)
        return {"fullUrl": full_url, "resource": resource, "request": request}

    def _part(self, name: str, parts: Mapping[str, Element], scope: Scope) -> str:
        expression = as_str(parts.get(name, {}).get("valueString"))
        if not expression:
            return ""
        found = scope.evaluate(expression, name)
        return str(path.plain(found[0])) if found else ""


def _templates(questionnaire: Resource, resources: Iterable[Resource]) -> dict[str, Resource]:
    contained = map(as_dict, as_list(questionnaire.get("contained")))
    return {
        as_str(resource.get("id")): resource
        for resource in (*resources, *contained)
        if resource.get("id")
    }


def _without_id(template: Resource) -> Resource:
    return {key: value for key, value in template.items() if key != "id"}


def _namespace(response: Resource) -> uuid.UUID:
    identity = as_str(response.get("id")) or fhir_json.dump(response).decode()
    return uuid.uuid5(uuid.NAMESPACE_OID, identity)
