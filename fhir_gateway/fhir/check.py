"""The check at the border: is a resource that we send valid R4, as far as a Python library tells?

fhir.resources has R4B models, which for the resources of this gateway differ from R4 in nothing it
uses. Its holes (reference/sdc: required codes, coercion, empty arrays) are closed by the small
checks below and by the HL7 validator in the tests.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.bundle import walk
from fhir_gateway.fhir.outcome import issue
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list

#: Required bindings of elements that fhir.resources leaves unchecked, for what this gateway sends.
_REQUEST_STATUS = ("draft active on-hold revoked completed entered-in-error unknown").split()
_EVENT_STATUS = (
    "preparation in-progress not-done on-hold stopped completed entered-in-error unknown"
).split()
_TASK_STATUS = (
    "draft requested received accepted rejected ready cancelled in-progress on-hold failed "
    "completed entered-in-error"
).split()
_INTENT = (
    "proposal plan directive order original-order reflex-order filler-order instance-order option"
).split()
_PRIORITY = "routine urgent asap stat".split()
REQUIRED_CODES: dict[tuple[str, str], list[str]] = {
    ("ServiceRequest", "status"): _REQUEST_STATUS,
    ("ServiceRequest", "intent"): _INTENT,
    ("ServiceRequest", "priority"): _PRIORITY,
    ("Communication", "status"): _EVENT_STATUS,
    ("Communication", "priority"): _PRIORITY,
    ("Task", "status"): _TASK_STATUS,
    ("Task", "intent"): ["unknown", *_INTENT],
    ("Task", "priority"): _PRIORITY,
    ("QuestionnaireResponse", "status"): (
        "in-progress completed amended entered-in-error stopped"
    ).split(),
    ("Patient", "gender"): "male female other unknown".split(),
    ("RelatedPerson", "gender"): "male female other unknown".split(),
}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_SCRIPT = re.compile(r"<\s*(script|iframe|object|embed|form|link|style)\b|\bon\w+\s*=", re.I)


def problems(resource: Resource) -> list[Element]:
    """OperationOutcome issues of a resource; an empty list when none was found."""
    resource_type = resource.get("resourceType")
    model = _model(resource_type) if isinstance(resource_type, str) else None
    if model is None:
        return [issue("error", "structure", "resourceType is missing or not of R4")]
    found = _model_problems(model, resource)
    for part in walk(resource):
        found.extend(_code_problems(part))
        found.extend(_empty_problems(part))
        found.extend(_text_problems(part))
        found.extend(_narrative_problems(part))
    return found


@lru_cache
def _model(resource_type: str) -> Any:
    from fhir.resources.R4B import get_fhir_model_class

    try:
        return get_fhir_model_class(resource_type)
    except (KeyError, ValueError):
        return None


def _model_problems(model: Any, resource: Resource) -> list[Element]:
    from pydantic import ValidationError

    try:
        model.model_validate_json(fhir_json.dump(resource))
    except ValidationError as error:
        return [
            # The text of the library can hold the input, so only its kind and place are kept.
            _model_problem(detail["type"], _place(resource, detail["loc"]))
            for detail in error.errors(include_url=False, include_input=False)
        ]
    except RecursionError:
        return [issue("error", "structure", "nested too deeply")]
    except KeyError:
        return [issue("error", "structure", "a contained resource has a type that is not of R4")]
    except AttributeError:
        return [issue("error", "structure", "an extension of a primitive is no object")]
    except TypeError:
        return [issue("error", "value", "a number is beyond what FHIR allows")]
    return []


def _model_problem(kind: str, place: list[str]) -> Element:
    """What a model found, in words; `kind` is of https://docs.pydantic.dev/latest/errors/."""
    where = place[0] if place else "an element"
    if kind.endswith("missing"):
        return issue("error", "required", f"{where} is required", expression=place)
    if kind == "extra_forbidden":
        return issue("error", "structure", f"{where} is no element of R4", expression=place)
    text = f"{where} has no valid value ({kind.replace('_', ' ')})"
    return issue("error", "structure", text, expression=place)


def _place(resource: Resource, location: tuple[int | str, ...]) -> list[str]:
    """The FHIRPath of what a model found fault with; none where a name is not one of FHIR's."""
    path = str(resource.get("resourceType"))
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part.isidentifier():
            path += f".{part}"
        else:
            return []
    return [path]


def _code_problems(part: dict[str, Any]) -> list[Element]:
    resource_type = part.get("resourceType")
    return [
        issue("error", "code-invalid", f"{kind}.{element} has a code outside its required binding")
        for (kind, element), allowed in REQUIRED_CODES.items()
        if kind == resource_type and element in part and part[element] not in allowed
    ]


def _empty_problems(part: dict[str, Any]) -> list[Element]:
    """R4: a property is never null or empty (https://hl7.org/fhir/R4/json.html)."""
    return [
        issue("error", "structure", f"property '{key}' is empty")
        for key, value in part.items()
        if value in ("", None) or value == [] or value == {}
    ]


def _text_problems(part: dict[str, Any]) -> list[Element]:
    """R4: no characters below 32 in strings but tab and line breaks
    (https://hl7.org/fhir/R4/datatypes.html#string)."""
    return [
        issue("error", "value", f"property '{key}' has control characters")
        for key, value in part.items()
        for text in (value if isinstance(value, list) else [value])
        if isinstance(text, str) and _CONTROL.search(text)
    ]


def _narrative_problems(part: dict[str, Any]) -> list[Element]:
    """txt-1: no active content in a narrative (https://hl7.org/fhir/R4/narrative.html)."""
    div = as_dict(part.get("text")).get("div") if "resourceType" in part else None
    found = []
    if isinstance(div, str) and _SCRIPT.search(div):
        found.append(issue("error", "invariant", "narrative has active content"))
    for coding in map(as_dict, as_list(part.get("coding"))):
        if coding.get("code") and not coding.get("system"):
            found.append(issue("warning", "code-invalid", "a coding has a code but no system"))
    return found
