"""How requests get into an EPR, read from the Endpoint of a service.

`Endpoint.address` is the base of its FHIR server, or the folder of a file drop. What FHIR has no
element for is in one extension of this project, all parts of which have a default.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlsplit

from fhir_gateway.fhir.identifiers import BASE, NHS_NUMBER
from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str, extensions

#: On an Endpoint: `strategy`, `repeat`, `patient`, `nhsNumberSystem`, `format`, `messageEvent`.
DELIVERY = f"{BASE}/StructureDefinition/endpoint-delivery"
Code = TypeVar("Code", bound=StrEnum)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PARTS = ("strategy", "repeat", "patient", "nhsNumberSystem", "format", "messageEvent")


class Strategy(StrEnum):
    """In which form a request gets into the EPR.

    TRANSACTION: all resources in one transaction Bundle. CREATES: one create for each resource, in
    the order of their references. COMMUNICATION, DOCUMENT: only the Communication, or the
    DocumentReference, about a Patient whom the EPR has. MESSAGE: a message Bundle to
    $process-message. FILE: the Bundle as a signed file in a folder.
    """

    TRANSACTION = "transaction"
    CREATES = "creates"
    COMMUNICATION = "communication"
    DOCUMENT = "document"
    MESSAGE = "message"
    FILE = "file"


class RepeatMode(StrEnum):
    """What makes a second send safe at this EPR, from the safest to the least safe.

    CONDITIONAL_CREATE: the EPR honours If-None-Exist, so the same send again creates nothing twice.
    PUT_BY_CLIENT_ID: resources are PUT under ids of ours, so the same send again replaces them.
    INTENT_SEARCH: wait until the settle time has passed, look, and only then send again.
    OPERATOR_CHECK: there is no search to look with; after an unknown outcome a person must look.
    """

    CONDITIONAL_CREATE = "conditional-create"
    PUT_BY_CLIENT_ID = "put-by-client-id"
    INTENT_SEARCH = "intent-search"
    OPERATOR_CHECK = "operator-check"


class PatientPolicy(StrEnum):
    """What happens when the EPR has no Patient of a request.

    CREATE: the Patient is created with the request. REQUIRE: a person must look. LOGICAL: the
    request refers to the patient by NHS number and name, for EPRs that resolve these.
    """

    CREATE = "create"
    REQUIRE = "require"
    LOGICAL = "logical"


class WireFormat(StrEnum):
    """JSON or XML; AUTO: as /metadata says, JSON when both."""

    AUTO = "auto"
    JSON = "json"
    XML = "xml"


#: system|code of MessageHeader.event, where none is configured.
MESSAGE_EVENT = f"{BASE}/CodeSystem/message-event|pifu-request"


@dataclass(frozen=True, slots=True)
class EprEndpoint:
    """The configuration of one way into an EPR. `address`: without a slash at its end."""

    address: str
    strategy: Strategy = Strategy.TRANSACTION
    repeat: RepeatMode = RepeatMode.INTENT_SEARCH
    patient: PatientPolicy = PatientPolicy.CREATE
    nhs_number_system: str = NHS_NUMBER
    format: WireFormat = WireFormat.AUTO
    #: system|code of MessageHeader.event, for messages.
    message_event: str = MESSAGE_EVENT


def read_endpoint(endpoint: Resource) -> tuple[EprEndpoint, list[str]]:
    """The configuration in an Endpoint, and what is wrong with it, each a sentence."""
    problems: list[str] = []
    parts = _parts(endpoint, problems)
    address = as_str(endpoint.get("address")).rstrip("/")
    found = EprEndpoint(
        address=address,
        strategy=_code(Strategy, parts.get("strategy"), Strategy.TRANSACTION, "strategy", problems),
        repeat=_code(RepeatMode, parts.get("repeat"), RepeatMode.INTENT_SEARCH, "repeat", problems),
        patient=_code(
            PatientPolicy, parts.get("patient"), PatientPolicy.CREATE, "patient", problems
        ),
        nhs_number_system=as_str(parts.get("nhsNumberSystem")) or NHS_NUMBER,
        format=_code(WireFormat, parts.get("format"), WireFormat.AUTO, "format", problems),
        message_event=_event(parts.get("messageEvent")) or MESSAGE_EVENT,
    )
    problems.extend(_address_problems(found))
    return found, problems


def _parts(endpoint: Resource, problems: list[str]) -> dict[str, Any]:
    """The values of the extension by their names."""
    found: dict[str, Any] = {}
    for extension in extensions(endpoint, DELIVERY):
        for part in map(as_dict, as_list(extension.get("extension"))):
            name = as_str(part.get("url"))
            values = [value for key, value in part.items() if key.startswith("value")]
            if name not in _PARTS or not values:
                problems.append(
                    f"The extension {DELIVERY} has an unknown or empty part '{name}'; "
                    f"its parts are {', '.join(_PARTS)}."
                )
            else:
                found[name] = values[0]
    return found


def _code(kind: type[Code], given: Any, default: Code, name: str, problems: list[str]) -> Code:
    if given is None:
        return default
    try:
        return kind(given)
    except ValueError:
        problems.append(f"Endpoint: {name} '{given}' is none of {', '.join(kind)}.")
        return default


def _event(coding: Any) -> str:
    system, code = as_str(as_dict(coding).get("system")), as_str(as_dict(coding).get("code"))
    return f"{system}|{code}" if code else ""


def _address_problems(endpoint: EprEndpoint) -> list[str]:
    if endpoint.strategy is Strategy.FILE:
        if not _is_folder(endpoint.address):
            return ["Endpoint.address must be file:///FOLDER for the strategy 'file'."]
        return []
    if not _is_epr_base(endpoint.address):
        return [
            "Endpoint.address must be the https base of the EPR's FHIR server, without a password "
            "or a query."
        ]
    return []


def _is_folder(text: str) -> bool:
    try:
        address = urlsplit(text)
    except ValueError:
        return False
    local = address.netloc in ("", "localhost")
    return address.scheme == "file" and local and bool(address.path.strip("/"))


def _is_epr_base(text: str) -> bool:
    """Whether an address is fit for patient data: https, or this machine."""
    try:
        address = urlsplit(text)
        host, _ = address.hostname, address.port
    except ValueError:
        return False
    plain = "@" not in address.netloc and not address.query and not address.fragment
    safe = address.scheme == "https" or (address.scheme == "http" and host in _LOOPBACK)
    return bool(host) and plain and safe
