"""From a draft to the response that leaves: only what is enabled, in order, marked completed."""

from __future__ import annotations

from datetime import datetime

from fhir_gateway.fhir.types import Resource
from fhir_gateway.questionnaire.calculation import calculated
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.enablement import Enablement
from fhir_gateway.questionnaire.response import ResponseTree


def empty_response(definition: Definition) -> Resource:
    """A response that nobody has answered yet."""
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": definition.canonical,
        "status": "in-progress",
    }


def completed(definition: Definition, draft: Resource, *, now: datetime) -> Resource:
    """The draft as a completed response: calculated answers filled in, disabled answers left out
    (SDC 4.0), in Questionnaire order, authored now. Drafts keep disabled answers, so that going
    back loses nothing."""
    filled = calculated(definition, draft, now=now)
    enablement = Enablement(ResponseTree(definition, filled), now=now)
    return {
        **enablement.response(),
        "status": "completed",
        "authored": now.isoformat(timespec="seconds"),
    }
