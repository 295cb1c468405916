"""One finding of lint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fhir_gateway.questionnaire.item import Item


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `severity`: error (must not be published) or warning.

    `expression`: the place as FHIRPath. `hl7`: the HL7 validator's message id for the same, or ''.
    """

    code: str
    severity: str
    link_id: str
    text: str
    expression: str = "Questionnaire"
    hl7: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As JSON for scripts."""
        return {
            "code": self.code,
            "severity": self.severity,
            "linkId": self.link_id,
            "expression": self.expression,
            "text": self.text,
            **({"hl7": self.hl7} if self.hl7 else {}),
        }


def error(code: str, item: Item, text: str, hl7: str = "") -> Finding:
    """A finding that must be mended before anybody fills the form in."""
    return Finding(code, "error", item.link_id, text, item.place, hl7)


def warning(code: str, item: Item, text: str, hl7: str = "") -> Finding:
    """A finding that is probably a mistake."""
    return Finding(code, "warning", item.link_id, text, item.place, hl7)
