"""A gateway beside a served PDS and EPR, and requests that were accepted just now."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from fhir_gateway import shipped
from fhir_gateway.app import LONDON, Gateway, build
from fhir_gateway.delivery.trace import trace
from fhir_gateway.fhir.bundle import resources
from fhir_gateway.fhir.identifiers import NHS_NUMBER
from fhir_gateway.provider.service import read_service
from fhir_gateway.sandbox import overview
from fhir_gateway.sandbox.epr.app import create_app as create_epr
from fhir_gateway.sandbox.pds.app import BASE_PATH
from fhir_gateway.sandbox.pds.app import create_app as create_pds
from fhir_gateway.sandbox.pds.personas import Persona
from fhir_gateway.settings import load
from fhir_gateway.store import requests, services
from fhir_gateway.store.requests import Request
from tests.serving import serve

SERVICE = Path(overview.__file__).parent / "service.json"
MEDICAL = "https://w3id.org/fhir-gateway/Questionnaire/pifu-medical|1.0.0"
EPR_PATIENTS = [
    {
        "resourceType": "Patient",
        "identifier": [{"system": NHS_NUMBER, "value": number}],
        "name": [{"family": family, "given": [given]}],
        "birthDate": "1984-03-12",
        "address": [{"postalCode": postcode}],
    }
    for number, family, given, postcode in (
        ("9990001308", "Sharma", "Anita", "M14 5RB"),
        ("9990001006", "Sharma", "Priya", "LS6 2AB"),
        ("9990001316", "Patel", "Priya", "LS6 2AB"),
    )
]


@dataclass
class Delivery:
    """What tests do with it."""

    gateway: Gateway
    pds: str
    slug: str
    ahead: timedelta = timedelta()

    def accept(self, who: Persona, *, code: bool = True, **changes: str) -> str:
        """A request as `who` would have sent it; its id. `changes`: answers by linkId."""
        answers = {
            "patient-given": who.given,
            "patient-family": who.family,
            "patient-postcode": who.postcode,
            "patient-mobile": who.mobile or "07700 900000",
            **changes,
        }
        known = "patient-nhs-number" in answers
        patient = _group(
            "patient",
            _group(
                "patient-name",
                *(_text(link_id, answers) for link_id in ("patient-given", "patient-family")),
            ),
            {"linkId": "patient-birth-date", "answer": [{"valueDate": who.birth_date}]},
            {"linkId": "patient-sex", "answer": [{"valueCoding": {"code": who.gender}}]},
            _text("patient-postcode", answers),
            {"linkId": "patient-nhs-number-known", "answer": [{"valueBoolean": known}]},
            *([_text("patient-nhs-number", answers)] if known else []),
            _group("patient-contact", _text("patient-mobile", answers)),
        )
        request_id = str(uuid.uuid4())
        mobile = "+44" + answers["patient-mobile"].replace(" ", "")[1:]
        with self.gateway.database.transaction() as tx:
            requests.add(
                tx,
                request_id=request_id,
                reference=request_id[:9],
                draft_id=None,
                service_slug=self.slug,
                questionnaire=MEDICAL,
                response={
                    "resourceType": "QuestionnaireResponse",
                    "status": "completed",
                    "questionnaire": MEDICAL,
                    "item": [patient],
                },
                evidence={"verified": {mobile: "now"} if code else {}, "bound_to": None},
                now=self.now(),
            )
        return request_id

    def trace(self, request_id: str, tries: int = 0) -> Any:
        """Run the step once; how long it wants to wait."""
        return trace(self.gateway.parts, request_id, tries)

    def request(self, request_id: str) -> Request:
        with self.gateway.database.transaction() as tx:
            found = requests.find(tx, request_id)
        assert found
        return found

    def identity(self, request_id: str) -> dict[str, Any]:
        return self.request(request_id).identity or {}

    def now(self) -> datetime:
        return datetime.now(LONDON) + self.ahead


def _group(link_id: str, *items: dict[str, Any]) -> dict[str, Any]:
    return {"linkId": link_id, "item": list(items)}


def _text(link_id: str, answers: dict[str, str]) -> dict[str, Any]:
    return {"linkId": link_id, "answer": [{"valueString": answers[link_id]}]}


@contextlib.contextmanager
def delivery(folder: Path) -> Iterator[Delivery]:
    """Everything, until the block ends."""
    with serve(create_pds()) as pds, serve(create_epr(patients=EPR_PATIENTS)) as epr:
        settings = load(
            data_dir=folder,
            pds_base_url=f"{pds}{BASE_PATH}",
            pds_token=SecretStr("any"),
            notify_base_url="http://127.0.0.1:9",
        )
        found = Delivery(None, pds, "")  # type: ignore[arg-type]
        found.gateway = build(settings, clock=lambda: found.now())
        found.gateway.prepare()
        bundle = shipped.read_resource(SERVICE)
        for endpoint in resources(bundle, "Endpoint"):
            endpoint["address"] = f"{epr}/fhir"
        found.slug = read_service(bundle).slug
        with found.gateway.database.transaction() as tx:
            services.save(tx, found.slug, bundle, now=found.now())
        yield found
        httpx.delete(f"{pds}/outage")
        found.gateway.close()
