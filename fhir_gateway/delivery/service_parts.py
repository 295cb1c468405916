"""Whether all that a service names is here, before it is taken."""

from __future__ import annotations

from fhir_gateway.delivery.parts import Parts
from fhir_gateway.errors import GatewayError
from fhir_gateway.provider.service import Service


def unknown_parts(parts: Parts, service: Service) -> list[str]:
    """Questionnaires and mappings that a service names and that are not here, as sentences."""
    found = []
    for request_type in service.request_types:
        try:
            parts.catalogue.definition(request_type.questionnaire)
        except GatewayError as error:
            found.append(str(error))
        target = parts.targets.get(request_type.mapping)
        if target is None:
            known = ", ".join(sorted(parts.targets))
            found.append(f"There is no mapping '{request_type.mapping}'. There are: {known}.")
        elif not target.applies(request_type.questionnaire):
            found.append(
                f"The mapping '{target.name}' does not apply to {request_type.questionnaire}."
            )
    return found
