"""A narrative for any resource: what it says, readable by a person, generated from its data.

https://hl7.org/fhir/R4/narrative.html: status `generated`, XHTML with basic formatting only. All
text is escaped; what a patient typed can never become markup.
"""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup

from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str
from fhir_gateway.fhir.wording import SKIPPED, worded, words

_XHTML = "http://www.w3.org/1999/xhtml"
#: Characters that no XML holds (https://www.w3.org/TR/xml/#charsets).
_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
MAX_DEPTH = 12


def narrative(resource: Resource) -> Element:
    """The `text` element of a resource."""
    if resource.get("resourceType") == "QuestionnaireResponse":
        body = _answers(resource.get("item"), 0)
    else:
        body = _rows(resource)
    title = words(as_str(resource.get("resourceType")))
    div = Markup('<div xmlns="{}"><p><b>{}</b></p>{}</div>').format(_XHTML, title, body)
    return {"status": "generated", "div": str(div)}


def renewed(resource: Resource) -> Resource:
    """The resource after a change of its data, its narrative generated anew: one that tells what
    the data said before is a danger to who reads it. Words of an author's own stay, and what has
    no narrative gets none."""
    if as_dict(resource.get("text")).get("status") != "generated":
        return resource
    return {**resource, "text": narrative(resource)}


def _rows(resource: Resource) -> Markup:
    rows = Markup("")
    for key, value in resource.items():
        if key in SKIPPED or key.startswith("_"):
            continue
        shown = [text for text in map(_show, value if isinstance(value, list) else [value]) if text]
        if shown:
            label = words(re.sub(r"^value(?=[A-Z])|(?<=.)\[x\]$", "", key))
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
        line = Markup("<li>{}").format(_show(question))
        if values:
            line += Markup(": <b>{}</b>").format(Markup("; ").join(values))
        lines += line + below + Markup("</li>")
    return Markup("<ul>{}</ul>").format(lines) if lines else lines


def _answer(answer: Element) -> Markup:
    value = next((v for k, v in answer.items() if k.startswith("value")), None)
    return _show(value)


def _show(value: Any) -> Markup:
    """Any FHIR value as one piece of text, its lines kept apart."""
    lines = _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", worded(value)).split("\n")
    return Markup("<br/>").join(lines) if any(lines) else Markup("")
