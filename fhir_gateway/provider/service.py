"""A hospital service as the gateway knows it, read from FHIR: HealthcareService and its friends.

An operator imports one Bundle per service (docs/operate.md): a HealthcareService, the Organization
that provides it (with its ODS code) and the Endpoint of its EPR. What FHIR has no element for is in
a few extensions of this project.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fhir_gateway.errors import Refused
from fhir_gateway.fhir.bundle import resources
from fhir_gateway.fhir.identifiers import BASE, ODS_ORGANISATION, is_ods_code
from fhir_gateway.fhir.types import (
    Element,
    Resource,
    as_dict,
    as_list,
    as_str,
    extension_value,
    extensions,
)
from fhir_gateway.provider.endpoint import EprEndpoint, read_endpoint

#: Identifier system of a service within a gateway; the value is its short name in commands.
SERVICE_ID = f"{BASE}/Id/service"
#: On a HealthcareService, repeatable: `questionnaire` (canonical) and `mapping` (a target's name).
REQUEST_TYPE = f"{BASE}/StructureDefinition/service-requestType"
#: On a HealthcareService: how soon the team replies, such as `2 working days`.
RESPONSE_TIME = f"{BASE}/StructureDefinition/service-responseTime"
#: On a HealthcareService, repeatable: a code for what its requests are (SNOMED CT or local).
REQUEST_CODE = f"{BASE}/StructureDefinition/service-requestCode"

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
#: The database has room for so many.
_MAX_SLUG = 80


@dataclass(frozen=True, slots=True)
class RequestType:
    """One thing a patient can ask for: its Questionnaire, and the mapping that delivers it."""

    questionnaire: str
    mapping: str


@dataclass(frozen=True, slots=True)
class Service:
    """What the rest of the gateway asks of a service. The resources are as imported."""

    slug: str
    name: str
    organisation_name: str
    ods_code: str
    response_time: str
    what_happens_next: str
    telephone: str
    epr: EprEndpoint
    request_types: tuple[RequestType, ...]
    healthcare_service: Mapping[str, object]
    organisation: Mapping[str, object]

    @property
    def epr_base(self) -> str:
        """Where the EPR is: the base of its FHIR server, or the folder of a file drop."""
        return self.epr.address

    def mapping_for(self, questionnaire: str) -> str | None:
        """The mapping for a Questionnaire (`url` or `url|version`), or None."""
        url = questionnaire.partition("|")[0]
        return next(
            (t.mapping for t in self.request_types if t.questionnaire.partition("|")[0] == url),
            None,
        )


class ServiceRefused(Refused):
    """An imported Bundle does not describe a service; `problems` says everything that is wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems), code="service-refused")
        self.problems = problems


def read_service(bundle: Resource) -> Service:
    """Read a Bundle of HealthcareService, Organization and Endpoint.

    Raises ServiceRefused with every problem, each a sentence for the operator.
    """
    service = next(resources(bundle, "HealthcareService"), {})
    organisation = next(resources(bundle, "Organization"), {})
    endpoint = next(resources(bundle, "Endpoint"), {})
    epr, epr_problems = read_endpoint(endpoint)
    found = Service(
        slug=_identifier(service, SERVICE_ID),
        name=as_str(service.get("name")),
        organisation_name=as_str(organisation.get("name")),
        ods_code=_identifier(organisation, ODS_ORGANISATION),
        response_time=as_str(extension_value(service, RESPONSE_TIME)),
        what_happens_next=as_str(service.get("extraDetails")),
        telephone=_telephone(service),
        epr=epr,
        request_types=tuple(_request_types(service)),
        healthcare_service=MappingProxyType(service),
        organisation=MappingProxyType(organisation),
    )
    problems = _problems(bundle, found)
    if bundle.get("resourceType") == "Bundle":
        problems.extend(epr_problems)
    if problems:
        raise ServiceRefused(problems)
    return found


def organisation_code(bundle: Resource) -> str:
    """The ODS code of the organisation that provides a service's Bundle; "" when there is none."""
    code = _identifier(next(resources(bundle, "Organization"), {}), ODS_ORGANISATION)
    return code if is_ods_code(code) else ""


def _problems(bundle: Resource, service: Service) -> list[str]:
    found = []
    if bundle.get("resourceType") != "Bundle":
        return ["The file is not a FHIR Bundle."]
    if not _SLUG.fullmatch(service.slug) or len(service.slug) > _MAX_SLUG:
        found.append(
            f"HealthcareService.identifier needs a value of system {SERVICE_ID}: a short name of "
            f"lower-case letters, digits and hyphens, at most {_MAX_SLUG}."
        )
    if not service.name:
        found.append("HealthcareService.name is missing: patients read it.")
    if not service.organisation_name:
        found.append("Organization.name is missing: patients read it.")
    if not is_ods_code(service.ods_code):
        found.append(f"Organization.identifier needs the ODS code, of system {ODS_ORGANISATION}.")
    if not service.response_time:
        found.append(f"The extension {RESPONSE_TIME} is missing, such as '2 working days'.")
    if not service.request_types:
        found.append(f"At least one extension {REQUEST_TYPE} is needed.")
    return found


def _identifier(resource: Resource, system: str) -> str:
    for identifier in map(as_dict, as_list(resource.get("identifier"))):
        if identifier.get("system") == system:
            return as_str(identifier.get("value"))
    return ""


def _telephone(service: Resource) -> str:
    for telecom in map(as_dict, as_list(service.get("telecom"))):
        if telecom.get("system") == "phone":
            return as_str(telecom.get("value"))
    return ""


def _request_types(service: Resource) -> list[RequestType]:
    found = []
    for extension in extensions(service, REQUEST_TYPE):
        parts: dict[str, Element] = {
            as_str(as_dict(part).get("url")): part for part in as_list(extension.get("extension"))
        }
        questionnaire = as_str(parts.get("questionnaire", {}).get("valueCanonical"))
        mapping = as_str(parts.get("mapping", {}).get("valueString"))
        if questionnaire and mapping:
            found.append(RequestType(questionnaire, mapping))
    return found
