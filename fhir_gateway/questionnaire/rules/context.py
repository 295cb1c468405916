"""What the rules for values need to know beside the answer."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.enablement import Enablement
from fhir_gateway.questionnaire.expressions import Scope
from fhir_gateway.questionnaire.once import once


@dataclass
class Checking:
    """One validation: the definition, what is enabled, and whether the response is final
    (completed or amended)."""

    definition: Definition
    enablement: Enablement
    final: bool

    @once
    def scope(self) -> Scope:
        """What expressions see; made when the first one is met."""
        return self.enablement.scope()
