"""The codes by which AuditEvents say what happened. https://profiles.ihe.net/ITI/BALP/1.1.4/"""

from __future__ import annotations

from fhir_gateway.fhir.identifiers import BASE
from fhir_gateway.fhir.types import Coding, Element

PROFILE = "https://profiles.ihe.net/ITI/BALP/StructureDefinition"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
INTERACTION = "http://hl7.org/fhir/restful-interaction"
#: Codes of this project for what operators do.
ACT = f"{BASE}/CodeSystem/audit-act"
#: Identifier systems of those who act.
CLIENT, OPERATOR = f"{BASE}/Id/client", f"{BASE}/Id/operator"
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
_BALP = "https://profiles.ihe.net/ITI/BALP/CodeSystem"

SUCCESS, MINOR, SERIOUS = "0", "4", "8"


def coding(system: str, code: str, display: str = "") -> Coding:
    """A Coding."""
    return {"system": system, "code": code, **({"display": display} if display else {})}


def concept(of: Coding) -> Element:
    """A CodeableConcept of one coding."""
    return {"coding": [of]}


REST = coding(f"{_TERMINOLOGY}/audit-event-type", "rest", "Restful Operation")
USER_AUTHENTICATION = coding(DICOM, "110114", "User Authentication")
PATIENT_RECORD = coding(DICOM, "110110", "Patient Record")
SECURITY_ALERT = coding(DICOM, "110113", "Security Alert")
AUDIT_LOG_USED = coding(DICOM, "110101", "Audit Log Used")
GET_ACCESS_TOKEN = coding("urn:ihe:event-type-code", "ITI-71", "Get Access Token")
APPLICATION_ACTIVITY = coding(DICOM, "110100", "Application Activity")
LOGIN = coding(DICOM, "110122", "Login")

APPLICATION = coding(DICOM, "110150", "Application")
DESTINATION = coding(DICOM, "110152", "Destination Role ID")
SOURCE = coding(DICOM, "110153", "Source Role ID")
CUSTODIAN = coding(f"{_TERMINOLOGY}/provenance-participant-type", "custodian", "Custodian")
AUTH_SERVICE = coding(f"{_BALP}/UserAgentTypes", "AuthzOauthService")
SERVER = coding(f"{_TERMINOLOGY}/security-source-type", "4", "Application Server")

PERSON = coding(f"{_TERMINOLOGY}/audit-entity-type", "1", "Person")
SYSTEM_OBJECT = coding(f"{_TERMINOLOGY}/audit-entity-type", "2", "System Object")
REQUEST_ID = coding(f"{_BALP}/BasicAuditEntityType", "XrequestId")
PATIENT = coding(f"{_TERMINOLOGY}/object-role", "1", "Patient")
DOMAIN_RESOURCE = coding(f"{_TERMINOLOGY}/object-role", "4", "Domain Resource")
QUERY = coding(f"{_TERMINOLOGY}/object-role", "24", "Query")
