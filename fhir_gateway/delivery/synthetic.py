"""Synthetic requests: invented patients whose requests go all the way, to prove that it works.

Health is proven by traffic, not by state. Each is a completed QuestionnaireResponse in
`FOLDER/SERVICE.json`; the team that reads the inbox must know its name.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path

from fhir_gateway.delivery.accept import accept_response
from fhir_gateway.delivery.engine import Engine
from fhir_gateway.delivery.parts import Parts
from fhir_gateway.errors import Refused
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.types import Resource, as_str
from fhir_gateway.questionnaire.validation import issues
from fhir_gateway.store import requests, standing


def send_due(parts: Parts, engine: Engine, folder: Path, every: timedelta) -> None:
    """Send each whose time has come. Raises Refused for a file that cannot be sent."""
    for file in sorted(folder.glob("*.json")):
        with parts.database.transaction() as tx:
            last = standing.last_synthetic(tx, file.stem)
        if last is None or parts.clock() - last[0] >= every:
            send_one(parts, engine, file.stem, fhir_json.parse(file.read_bytes()))


def send_one(parts: Parts, engine: Engine, service_slug: str, response: Resource) -> str:
    """Accept a synthetic request for a service; its reference.

    Raises Refused when the response is not complete and valid for its Questionnaire.
    """
    questionnaire = as_str(response.get("questionnaire"))
    definition = parts.catalogue.definition(questionnaire)
    now = parts.clock()
    completed = {**response, "status": "completed", "authored": now.isoformat(timespec="seconds")}
    wrong = [i for i in issues(definition, completed, now=now) if i.severity == "error"]
    if wrong:
        raise Refused(
            f"The synthetic response for {service_slug} is not valid: {wrong[0].code}",
            code="synthetic-invalid",
        )
    request_id = str(uuid.uuid4())
    with parts.database.transaction() as tx:
        parts.service(tx, service_slug)
        reference = accept_response(
            tx,
            engine,
            request_id=request_id,
            draft_id=None,
            service_slug=service_slug,
            questionnaire=questionnaire,
            response=completed,
            evidence={"verified": {}, "bound_to": None, "synthetic": True},
            now=now,
        )
        requests.note(tx, request_id, standing.SYNTHETIC, now=now)
    return reference
