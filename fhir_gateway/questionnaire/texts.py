"""What a person reads for an item: its text, or the author's expression for it, and its markdown.

A text may vary by answers (`your name`, `their name`) through cqf-expression on `_text`
(https://hl7.org/fhir/uv/sdc/expressions.html#dynamic-text).
"""

from __future__ import annotations

import html
import re
from typing import Any

from fhir_gateway.fhir import path
from fhir_gateway.fhir.types import Element, as_dict, as_str, extension_value, extensions
from fhir_gateway.questionnaire import extensions as ext
from fhir_gateway.questionnaire.definition import Item
from fhir_gateway.questionnaire.expressions import Scope


class Texts:
    """The texts of items for one state of a response."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def text(self, item: Item) -> str:
        """The item's text as this person should read it; the published text if all else fails."""
        return self._resolve(item.raw.get("_text"), item.text)

    def short_text(self, item: Item) -> str:
        """The label for lists of answers."""
        return self._of(item, ext.SHORT_TEXT, "valueString") or self.text(item)

    def autocomplete(self, item: Item) -> str:
        """The HTML autocomplete token of the item's field (WCAG 1.3.5), or ''."""
        return self._of(item, ext.AUTOCOMPLETE, "valueCode")

    def markdown(self, item: Item) -> str:
        """The markdown of a display or group, or '' when its text is plain."""
        return as_str(extension_value(item.raw.get("_text"), ext.RENDERING_MARKDOWN))

    def xhtml(self, item: Item) -> str:
        """The author's XHTML for the item's text, to be cleaned before it is shown, or ''."""
        return as_str(extension_value(item.raw.get("_text"), ext.RENDERING_XHTML))

    def plain(self, item: Item) -> str:
        """The words of an item whose text is only given in XHTML or markdown, or ''."""
        words = re.sub(r"<[^<>]*>", " ", self.xhtml(item)) or self.markdown(item)
        return " ".join(html.unescape(words).split())

    def error_message(self, item: Item, kind: str) -> str:
        """The author's words for one kind of error on this item, or ''."""
        for extension in item.extensions(ext.ERROR_MESSAGE):
            parts: dict[str, Element] = {
                as_str(as_dict(part).get("url")): part for part in extension.get("extension", [])
            }
            if parts.get("kind", {}).get("valueCode") == kind:
                message = parts.get("message", {})
                return self._resolve(
                    message.get("_valueString"), as_str(message.get("valueString"))
                )
        return ""

    def _of(self, item: Item, url: str, value: str) -> str:
        """The text in an extension of the item, or ''."""
        found = item.extensions(url)
        if not found:
            return ""
        return self._resolve(found[0].get(f"_{value}"), as_str(found[0].get(value)))

    def _resolve(self, sibling: Any, fallback: str) -> str:
        expressions = extensions(sibling, ext.CQF_EXPRESSION)
        if not expressions:
            return fallback
        expression = as_str(as_dict(expressions[0].get("valueExpression")).get("expression"))
        try:
            found = self._scope.evaluate(expression)
        except path.PathRefused:
            return fallback
        return str(path.plain(found[0])) if found else fallback
