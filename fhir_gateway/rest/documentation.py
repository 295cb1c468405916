"""What the CapabilityStatement says in words: all that a client has to know of a type that FHIR
does not say, for a team that has nothing else."""

from __future__ import annotations

from fhir_gateway.fhir.search.parameter import Kind, Parameter
from fhir_gateway.fhir.search.reading import modifiers_of
from fhir_gateway.rest.task_rules import TRANSITIONS, WRITABLE

SERVER = (
    "Patients' requests for follow-up, as FHIR. Each request is a Task in the inbox of its "
    "organisation; `Task.focus` is what is asked for, `Task.for` the patient as submitted. A "
    "client sees the data of its own organisations and what is published. Search for persons by "
    "POST: what is in a URL is in logs. Chains and `_has` go up to three deep, `_include` and "
    "`_revinclude` take `:iterate`, `_sort` several keys, `_count` up to 500. Parameters that are "
    "not known are passed over with a warning; `Prefer: handling=strict` refuses them. Bundles "
    "have 100 entries at the most."
)
_STATES = "; ".join(
    f"{before} → {', '.join(sorted(after)) or 'nothing'}" for before, after in TRANSITIONS.items()
)
#: By resource type, in Markdown.
RESOURCES = {
    "AuditEvent": "Who did what with the data of the client's organisations.",
    "Binary": "The content of a file that was sent with a request; see DocumentReference.",
    "Communication": "What is asked for in an administrative request.",
    "CommunicationRequest": (
        "Creating one texts the patient a link to the service in `sender`, after PDS was asked. "
        "The recipient is a contained Patient with NHS number and mobile number. The same "
        "identifier texts once. `$invite` does it for many, by CSV or a Bundle."
    ),
    "DocumentReference": "A file that was sent with a request.",
    "HealthcareService": (
        "A service that requests can be sent to. Administrators write it, with its Organization "
        "and Endpoint contained."
    ),
    "Patient": "The patient as submitted, one for each request: no record of persons.",
    "Provenance": "Who wrote a request, by which mapping it was made, how the patient was traced.",
    "Questionnaire": (
        "A form as published. Administrators write it; a version that somebody has begun to answer "
        "does not change."
    ),
    "QuestionnaireResponse": (
        "The answers of a request. Creating a completed one, of a Questionnaire that is published "
        "here, makes a request; its reference for the patient is in the extension "
        "`response-reference` of the answer. The same identifier makes one request."
    ),
    "RelatedPerson": "Who wrote for the patient, as submitted, one for each request.",
    "ServiceRequest": "What is asked for in a medical request.",
    "Subscription": (
        "rest-hook; `criteria` is `QuestionnaireResponse?` or "
        "`https://w3id.org/fhir-gateway/SubscriptionTopic/new-request` for new requests, `Task?` "
        "or `https://w3id.org/fhir-gateway/SubscriptionTopic/status-changed` for changes. A "
        "handshake comes first. The secret that signs notifications (X-Signature-256) is in the "
        "answer to the creation, once."
    ),
    "Task": (
        f"A request in the inbox. PUT and PATCH may change {', '.join(WRITABLE)}. A PUT says on "
        "which version it is based, by If-Match or meta.versionId (428 else; 412 when there is a "
        f"newer one). A rejected Task needs a statusReason; notes are only added. States: "
        f"{_STATES}."
    ),
}


def of_parameter(parameter: Parameter) -> str:
    """What a search parameter takes beside values."""
    modifiers = [f":{name}" for name in modifiers_of(parameter)]
    if parameter.kind is Kind.REFERENCE:
        modifiers.append(":[type]")
    said = f"Modifiers: {', '.join(modifiers)}." if modifiers else "No modifiers."
    if not parameter.personal:
        return said
    return f"{said} Kept as a keyed hash: it is not sorted by."
