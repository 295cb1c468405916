"""Observation-based extraction: answers of coded questions become Observations.

https://hl7.org/fhir/uv/sdc/extraction.html#observation-based-extraction. A question is extracted
when it, or what is above it, has observationExtract, and it has codes. A group with codes becomes
an Observation that has those below it as members.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_gateway.fhir.elements import choices
from fhir_gateway.fhir.types import (
    Element,
    Resource,
    as_dict,
    as_list,
    as_str,
    extension_value,
)
from fhir_gateway.mapping.answered import Instance
from fhir_gateway.mapping.extensions import OBSERVATION_CATEGORY, OBSERVATION_EXTRACT, UNIT
from fhir_gateway.mapping.run import Run
from fhir_gateway.mapping.scope import Scope
from fhir_gateway.mapping.values import choose, converted
from fhir_gateway.questionnaire.response import value_of


def entries(run: Run, root: Scope) -> list[Element]:
    """The entries of all Observations."""
    del root  # nothing is evaluated
    if OBSERVATION_EXTRACT not in run.used:
        return []
    asked = extension_value(run.questionnaire, OBSERVATION_EXTRACT) is True
    category = extension_value(run.questionnaire, OBSERVATION_CATEGORY)
    found: list[Element] = []
    for instance in run.answered.instances:
        found.extend(_below(run, instance, asked, category))
    return found


def _below(run: Run, instance: Instance, asked: bool, category: Any) -> Iterator[Element]:
    raw = instance.item.raw
    said = extension_value(raw, OBSERVATION_EXTRACT)
    asked = said if isinstance(said, bool) else asked
    category = extension_value(raw, OBSERVATION_CATEGORY) or category
    members = [made for child in instance.below for made in _below(run, child, asked, category)]
    codes = [c for c in map(as_dict, as_list(raw.get("code"))) if _is_extracted(c)]
    made: list[Element] = []
    if asked and codes:
        base = _base(run.answered.response, raw, codes, category)
        made = list(_observations(run, instance, base, members))
    yield from made
    yield from members


def _is_extracted(coding: Element) -> bool:
    return extension_value(coding, OBSERVATION_EXTRACT) is not False


def _observations(
    run: Run, instance: Instance, base: Resource, members: list[Element]
) -> Iterator[Element]:
    """One for each answer, or one for a group that has members."""
    if not instance.item.is_question:
        if members:
            has = [{"reference": member["fullUrl"]} for member in members]
            yield _entry(run, instance, {**base, "hasMember": has})
        return
    for answer in map(as_dict, as_list(instance.element.get("answer"))):
        value_type, value = value_of(answer)
        raw = instance.item.raw
        options = choices("Observation", "value")
        measured = extension_value(raw, UNIT) is not None
        info = choose(options, value_type, measured=measured)
        made = converted(value, info.type, raw) if info else None
        if info is None or made is None:
            text = f"an Observation has no value of type {value_type or 'none'}"
            run.ledger.note("error", "processing", text, instance.item.link_id)
            continue
        yield _entry(run, instance, {**base, info.name: made})


def _base(response: Resource, item: Element, codes: list[Element], category: Any) -> Resource:
    """What SDC says to carry over from the response."""
    kept = [{k: v for k, v in coding.items() if k != "extension"} for coding in codes]
    authored = as_str(response.get("authored"))
    base: Resource = {"resourceType": "Observation"}
    for name in ("basedOn", "partOf"):
        if response.get(name):
            base[name] = response[name]
    base["status"] = "final"
    if category:
        base["category"] = [category]
    base["code"] = {"coding": kept, **({"text": item["text"]} if item.get("text") else {})}
    for name in ("subject", "encounter"):
        if response.get(name):
            base[name] = response[name]
    if authored:
        base["effectiveDateTime"] = authored
    if "T" in authored:
        base["issued"] = authored
    if response.get("author"):
        base["performer"] = [response["author"]]
    if as_str(response.get("id")):
        base["derivedFrom"] = [{"reference": f"QuestionnaireResponse/{response['id']}"}]
    return base


def _entry(run: Run, instance: Instance, resource: Resource) -> Element:
    return {
        "fullUrl": run.urn(f"{instance.place}#Observation"),
        "resource": resource,
        "request": {"method": "POST", "url": "Observation"},
    }
