"""A narrative for any resource: what it says, readable by a person, generated from its data.

https://hl7.org/fhir/R4/narrative.html: status `generated`, XHTML with basic formatting only. All
text is escaped; what a patient typed can never become markup.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from fhir_gateway.fhir.identifiers import NHS_NUMBER, spaced_nhs_number
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str

_XHTML = "http://www.w3.org/1999/xhtml"
#: Elements that say nothing to a reader of the narrative.
_SKIPPED = frozenset(
    "resourceType id meta implicitRules language text contained extension modifierExtension".split()
)
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NHS_NUMBER_LENGTH = 10
MAX_DEPTH = 12


def narrative(resource: Resource) -> Element:
    """The `text` element of a resource."""
    if resource.get("resourceType") == "QuestionnaireResponse":
        body = _answers(resource.get("item"), 0)
    else:
        body = _rows(resource)
    title = _words(as_str(resource.get("resourceType")))
    div = Markup('<div xmlns="{}"><p><b>{}</b></p>{}</div>').format(_XHTML, title, body)
    return {"status": "generated", "div": str(div)}


def _rows(resource: Resource) -> Markup:
    rows = Markup("")
    for key, value in resource.items():
        if key in _SKIPPED or key.startswith("_"):
            continue
        shown = [text for text in map(_show, value if isinstance(value, list) else [value]) if text]
        if shown:
            label = _words(re.sub(r"^value(?=[A-Z])|(?<=.)\[x\]$", "", key))
            rows += Markup("<tr><td>{}</td><td>{}</td></tr>").format(
                label, Markup("<br/>").join(shown)
            )
    return Markup("<table>{}</table>").format(rows) if rows else Markup("")


def _answers(items: Any, depth: int) -> Markup:
    """Questions and answers of a QuestionnaireResponse, nested as they are."""
    lines = Markup("")
    if depth > MAX_DEPTH:
        return lines
    for item in map(as_dict, as_list(items)):
        question = as_str(item.get("text")) or as_str(item.get("linkId"))
        answers = [as_dict(answer) for answer in as_list(item.get("answer"))]
        values = [text for text in (_answer(answer) for answer in answers) if text]
        below = _answers(item.get("item"), depth + 1)
        for answer in answers:
            below += _answers(answer.get("item"), depth + 1)
        line = Markup("<li>{}").format(question)
        if values:
            line += Markup(": <b>{}</b>").format(Markup("; ").join(values))
        lines += line + below + Markup("</li>")
    return Markup("<ul>{}</ul>").format(lines) if lines else lines


def _answer(answer: Element) -> Markup:
    value = next((v for k, v in answer.items() if k.startswith("value")), None)
    return _show(value)


def _show(value: Any) -> Markup:
    """Any FHIR value as one piece of text."""
    if isinstance(value, bool):
        return Markup("yes") if value else Markup("no")
    if isinstance(value, str):
        return Markup("<br/>").join(value.split("\n"))
    if not isinstance(value, dict):
        return Markup("") if value is None else Markup("{}").format(str(value))
    for wanted, show in _SHAPES:
        if wanted <= value.keys():
            return Markup("{}").format(show(value))
    inner = [
        Markup("{}: {}").format(_words(key), text)
        for key, part in value.items()
        if key not in _SKIPPED and not key.startswith("_")
        for text in map(_show, part if isinstance(part, list) else [part])
        if text
    ]
    return Markup("; ").join(inner)


def _concept(value: Element) -> str:
    codings = [as_dict(coding) for coding in as_list(value.get("coding"))]
    displays = [as_str(c.get("display")) or as_str(c.get("code")) for c in codings]
    return as_str(value.get("text")) or ", ".join(d for d in displays if d)


def _name(value: Element) -> str:
    parts = [*as_list(value.get("given")), value.get("family")]
    return as_str(value.get("text")) or " ".join(as_str(p) for p in parts if p)


def _identifier(value: Element) -> str:
    number = as_str(value.get("value"))
    if value.get("system") == NHS_NUMBER and len(number) == _NHS_NUMBER_LENGTH:
        return f"NHS number {spaced_nhs_number(number)}"
    return f"{number} ({as_str(value['system'])})" if value.get("system") else number


def _reference(value: Element) -> str:
    if value.get("display"):
        return as_str(value["display"])
    if isinstance(value.get("identifier"), dict):
        return _identifier(value["identifier"])
    kind = as_str(value.get("type")) or as_str(value.get("reference")).partition("/")[0]
    # An address within the Bundle says nothing to a reader.
    return "" if kind.startswith("urn:") else kind


def _quantity(value: Element) -> str:
    unit = as_str(value.get("unit")) or as_str(value.get("code"))
    return " ".join(p for p in (as_str(value.get("comparator")), f"{value['value']}", unit) if p)


def _contact_point(value: Element) -> str:
    use = f" ({as_str(value['use'])})" if value.get("use") else ""
    return f"{as_str(value.get('value'))}{use}"


def _address(value: Element) -> str:
    parts = [*as_list(value.get("line")), value.get("city"), value.get("postalCode")]
    return as_str(value.get("text")) or ", ".join(as_str(p) for p in parts if p)


def _period(value: Element) -> str:
    return f"{as_str(value.get('start')) or '?'} to {as_str(value.get('end')) or 'now'}"


#: Data types by the elements that give them away, the most telling first.
_SHAPES: tuple[tuple[set[str], Callable[[Element], str]], ...] = (
    ({"coding"}, _concept),
    ({"reference"}, _reference),
    ({"family"}, _name),
    ({"given"}, _name),
    ({"postalCode"}, _address),
    ({"value", "unit"}, _quantity),
    ({"value", "code"}, _quantity),
    ({"system", "value"}, lambda v: _contact_point(v) if _is_contact(v) else _identifier(v)),
    ({"code", "system"}, lambda v: as_str(v.get("display")) or as_str(v.get("code"))),
    ({"identifier"}, _reference),
    ({"start"}, _period),
    ({"end"}, _period),
    ({"text"}, lambda v: as_str(v.get("text"))),
    ({"display"}, lambda v: as_str(v.get("display"))),
)


def _is_contact(value: Element) -> bool:
    return value.get("system") in ("phone", "fax", "email", "pager", "url", "sms", "other")


def _words(name: str) -> str:
    """`birthDate` as `Birth date`."""
    return _WORD.sub(" ", name).capitalize()
