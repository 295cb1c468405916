"""Resources cut down to what a client asked for: `_summary` and `_elements`.

https://hl7.org/fhir/R4/search.html#summary, https://hl7.org/fhir/R4/search.html#elements. Which
elements are part of a summary and which are mandatory is read from the R4B models.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from fhir_gateway.fhir.types import Resource, as_dict, as_list

_SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
}
_ALWAYS = frozenset({"resourceType", "id", "meta", "implicitRules"})


def subset(resource: Resource, *, summary: str = "false", elements: Sequence[str] = ()) -> Resource:
    """The part of a resource, marked as a part; the resource itself where nothing is to be cut.

    `summary`: true, text, data, count or false. `elements`: names of root elements to keep beside
    the mandatory ones. In a Bundle the entries are cut, matches and versions only.
    """
    if summary == "false" and not elements:
        return resource
    if resource.get("resourceType") == "Bundle":
        return _bundle(resource, summary, elements)
    return _marked(_part(resource, summary, elements))


def _bundle(bundle: Resource, summary: str, elements: Sequence[str]) -> Resource:
    if summary == "count":
        return {key: value for key, value in bundle.items() if key != "entry"}
    entries = []
    for entry in map(as_dict, as_list(bundle.get("entry"))):
        inner = entry.get("resource")
        mode = as_dict(entry.get("search")).get("mode", "match")
        if isinstance(inner, dict) and (mode == "match" or (mode == "include" and not elements)):
            entry = {**entry, "resource": _marked(_part(inner, summary, elements))}
        entries.append(entry)
    return {**bundle, "entry": entries} if entries else bundle


def _part(resource: Resource, summary: str, elements: Sequence[str]) -> Resource:
    kept = {key: value for key, value in resource.items() if not key.startswith("fhir_")}
    if summary == "data":
        kept = {key: value for key, value in kept.items() if key.lstrip("_") != "text"}
    elif summary in ("true", "text"):
        known = _elements_of(str(resource.get("resourceType")))
        wanted = {"text"} if summary == "text" else known.summary
        kept = _only(kept, _ALWAYS | known.mandatory | wanted)
    if elements:
        known = _elements_of(str(resource.get("resourceType")))
        kept = _only(kept, _ALWAYS | known.mandatory | _expanded(elements, kept))
    return kept


def _expanded(elements: Sequence[str], resource: Resource) -> frozenset[str]:
    """Names as asked for; a choice such as `value` stands for `valueString`, and a path such as
    `item.text` for its root."""
    roots = {name.partition(".")[0].removesuffix("[x]") for name in elements}
    choices = {
        key
        for key in resource
        for root in roots
        if key.startswith(root) and key[len(root) : len(root) + 1].isupper()
    }
    return frozenset(roots | choices)


def _only(resource: Resource, names: frozenset[str] | set[str]) -> Resource:
    return {key: value for key, value in resource.items() if key.lstrip("_") in names}


def _marked(resource: Resource) -> Resource:
    meta = as_dict(resource.get("meta"))
    tags = [tag for tag in as_list(meta.get("tag")) if as_dict(tag).get("code") != "SUBSETTED"]
    first = {"resourceType": resource.get("resourceType")}
    if "id" in resource:
        first["id"] = resource["id"]
    return {**first, **resource, "meta": {**meta, "tag": [*tags, _SUBSETTED]}}


class _Known:
    """What the model says of the elements of a type."""

    def __init__(self, type_name: str) -> None:
        from fhir.resources.R4B import get_fhir_model_class

        try:
            model: Any = get_fhir_model_class(type_name)
        except (KeyError, ValueError, AttributeError):
            self.summary: frozenset[str] = frozenset()
            self.mandatory: frozenset[str] = frozenset()
            return
        self.summary = frozenset(model.summary_elements_sequence())
        self.mandatory = frozenset(
            field.alias or name for name, field in model.model_fields.items() if _is_required(field)
        )


def _is_required(field: Any) -> bool:
    extra = field.json_schema_extra
    return field.is_required() or bool(isinstance(extra, dict) and extra.get("element_required"))


@lru_cache(maxsize=256)
def _elements_of(type_name: str) -> _Known:
    return _Known(type_name)
