"""Narratives of other systems, made safe to show. Nothing foreign is trusted, whatever it claims.

https://hl7.org/fhir/R4/narrative.html allows styles, images and links; here only plain structure
is left, so that a narrative can neither run, load, lead astray nor dress up as a part of the page.
"""

from __future__ import annotations

import re

import nh3
from markupsafe import Markup

from fhir_gateway.fhir.types import Resource, as_dict, as_str

_TAGS = set(
    "div p br b strong i em ul ol li dl dt dd table caption thead tbody tr th td pre".split()
)
#: The first cell of a row names the others; broken anywhere it would shrink to a letter's width.
_FIRST_CELL = re.compile(r'(<tr>\s*)<td class="app-break">')
#: Classes of the NHS design system that stand in for the look that was taken away.
_CLASSES = {
    "table": {"class": "nhsuk-table"},
    # These may break anywhere, so that a long word does not push the page wide.
    "td": {"class": "app-break"},
    "p": {"class": "app-break"},
    "li": {"class": "app-break"},
    "ul": {"class": "nhsuk-list nhsuk-list--bullet"},
    "ol": {"class": "nhsuk-list nhsuk-list--number"},
}


def safe_narrative(resource: Resource) -> Markup:
    """The narrative of a resource as safe HTML; empty when it has none, or none with text."""
    div = as_str(as_dict(resource.get("text")).get("div"))
    if not nh3.clean(div, tags=set()).strip():
        return Markup("")
    cleaned = nh3.clean(
        div,
        tags=_TAGS,
        attributes={},
        set_tag_attribute_values=_CLASSES,
        strip_comments=True,
    )
    cleaned = _FIRST_CELL.sub(r"\1<td>", cleaned)
    return Markup(cleaned)  # noqa: S704 - only the tags above are left, without attributes
