"""Template-based extraction: the templates of items, and of a whole Bundle.

https://hl7.org/fhir/uv/sdc/extraction.html#template-based-extraction
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fhir_gateway.fhir.types import (
    Element,
    Resource,
    as_dict,
    as_list,
    as_str,
    extension_value,
    extensions,
)
from fhir_gateway.mapping.entries import RequestParts, entry
from fhir_gateway.mapping.extensions import EXTRACT, EXTRACT_BUNDLE
from fhir_gateway.mapping.run import Run
from fhir_gateway.mapping.scope import Scope
from fhir_gateway.mapping.template import copies, fill


def entries(run: Run, root: Scope) -> list[Element]:
    """The entries of all templates: a Bundle's first, then in the order of the templates."""
    if not run.used & {EXTRACT, EXTRACT_BUNDLE}:
        return []
    templates = _templates(run)
    order = {name: position for position, name in enumerate(templates)}
    found = list(_of(run, run.questionnaire, root, "", templates))
    for instance, scope in run.scopes(root):
        if extensions(instance.item.raw, EXTRACT):
            found.extend(_of(run, instance.item.raw, scope, instance.place, templates))
    found.sort(key=lambda pair: order[pair[0]])
    return [*_bundle(run, root, templates), *(made for _, made in found)]


def _of(
    run: Run, element: Element, scope: Scope, place: str, templates: Mapping[str, Resource]
) -> Iterator[tuple[str, Element]]:
    """Template name and entry of each resource that an item's, or the root's, templates make."""
    for extension in extensions(element, EXTRACT):
        parts = RequestParts.of(extension)
        name = _name(parts.value("template"))
        template = templates.get(name)
        if template is None:
            run.ledger.note("error", "not-found", f"template '{name}' is not there", "")
            continue
        for copy in copies(element, scope, name):
            for resource in fill(_without_id(template), copy, name):
                if not resource.get("resourceType"):
                    run.ledger.note("error", "structure", "the template has no resourceType", name)
                    continue
                made = entry(resource, parts, copy, run.urn(f"{place}#{name}"), name)
                if made is not None:
                    yield name, made


def _bundle(run: Run, root: Scope, templates: Mapping[str, Resource]) -> Iterator[Element]:
    """The entries of the template of a whole Bundle."""
    given = extension_value(run.questionnaire, EXTRACT_BUNDLE)
    if given is None:
        return
    name = _name(given)
    template = templates.get(name)
    if template is None or template.get("resourceType") != "Bundle":
        run.ledger.note("error", "not-found", f"the Bundle template '{name}' is not there", "")
        return
    seen: set[str] = set()
    for bundle in fill(_without_id(template), root, name):
        for position, made in enumerate(as_list(bundle.get("entry"))):
            yield from _bundle_entry(run, as_dict(made), seen, f"{name}.entry[{position}]")


def _bundle_entry(run: Run, made: Element, seen: set[str], place: str) -> Iterator[Element]:
    resource = as_dict(made.get("resource"))
    resource_type = as_str(resource.get("resourceType"))
    request = as_dict(made.get("request"))
    if not resource_type and request.get("method") != "DELETE":
        run.ledger.note("warning", "processing", "the entry has no resource left", place)
        return
    full_url = as_str(made.get("fullUrl"))
    if not full_url or full_url in seen:
        # A template gives one address to all copies of an entry; each needs its own.
        full_url = run.urn(f"#{full_url or place}")
    seen.add(full_url)
    kept = {key: value for key, value in made.items() if key not in ("fullUrl", "request")}
    request = request or {"method": "POST", "url": resource_type}
    yield {"fullUrl": full_url, **kept, "request": request}


def _templates(run: Run) -> dict[str, Resource]:
    """Templates by id, in order: those contained, then those given besides."""
    contained = map(as_dict, as_list(run.questionnaire.get("contained")))
    found: dict[str, Resource] = {}
    for resource in (*contained, *run.resources):
        name = as_str(resource.get("id"))
        if name:
            found.setdefault(name, resource)
    return found


def _name(reference: object) -> str:
    """The id in `#id`, `Type/id` or `id`."""
    return as_str(as_dict(reference).get("reference")).removeprefix("#").rpartition("/")[2]


def _without_id(template: Resource) -> Resource:
    return {key: value for key, value in template.items() if key != "id"}
