"""SMART Backend Services: where an EPR's tokens come from, and which scopes to ask for.

https://hl7.org/fhir/smart-app-launch/backend-services.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from fhir_gateway.errors import Refused, TryLater
from fhir_gateway.fhir import json as strict_json
from fhir_gateway.fhir.types import as_dict, as_list, as_str

#: What is written, and looked for after an unknown outcome; Patients are looked for first.
WRITTEN = (
    "Patient ServiceRequest Communication QuestionnaireResponse DocumentReference RelatedPerson "
    "Task Provenance"
).split()
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_MAX_BODY = 200_000


@dataclass(frozen=True, slots=True)
class Discovery:
    """What .well-known/smart-configuration says that matters here."""

    token_endpoint: str
    methods: frozenset[str]
    algorithms: frozenset[str]
    scopes: frozenset[str]
    capabilities: frozenset[str]


def discover(http: httpx.Client, base_url: str) -> Discovery:
    """Ask the FHIR server where its tokens come from. Raises TryLater, Refused."""
    url = f"{base_url.rstrip('/')}/.well-known/smart-configuration"
    try:
        response = http.get(url, headers={"Accept": "application/json"})
    except httpx.HTTPError as error:
        raise TryLater(
            f"The SMART configuration could not be reached ({type(error).__name__})",
            code="smart-unreachable",
        ) from None
    if response.is_server_error:
        raise TryLater(
            f"The SMART configuration answered {response.status_code}", code="smart-unreachable"
        )
    try:
        body = as_dict(strict_json.parse(response.content, max_bytes=_MAX_BODY))
    except strict_json.JsonRefused:
        body = {}
    endpoint = as_str(body.get("token_endpoint"))
    if not response.is_success or not _is_safe(endpoint):
        raise Refused(
            "The EPR publishes no SMART configuration with an https token endpoint: set token_url",
            code="smart-configuration",
        )
    return Discovery(
        endpoint,
        _strings(body, "token_endpoint_auth_methods_supported"),
        _strings(body, "token_endpoint_auth_signing_alg_values_supported"),
        _strings(body, "scopes_supported"),
        _strings(body, "capabilities"),
    )


def scopes(found: Discovery | None, types: Iterable[str] = WRITTEN) -> str:
    """The scopes to ask for: of version 2 where it is announced, else of version 1; only those
    that are announced, when any are."""
    v2 = found is not None and "permission-v2" in found.capabilities
    suffixes = ("crs",) if v2 else ("read", "write")
    wanted = [f"system/{name}.{suffix}" for name in types for suffix in suffixes]
    offered = found.scopes if found else frozenset()
    announced = [scope for scope in wanted if scope in offered]
    return " ".join(announced or wanted)


def check(found: Discovery, algorithm: str) -> None:
    """Raises Refused when the EPR says that it does not take our signed assertions."""
    if found.algorithms and algorithm not in found.algorithms:
        raise Refused(
            f"The EPR takes assertions by {', '.join(sorted(found.algorithms))}, and the key signs "
            f"by {algorithm}",
            code="smart-algorithm",
        )
    if found.methods and "private_key_jwt" not in found.methods:
        raise Refused(
            "The EPR does not take signed assertions (private_key_jwt): use a client secret",
            code="smart-method",
        )


def _is_safe(url: str) -> bool:
    split = urlsplit(url)
    loopback = split.scheme == "http" and split.hostname in _LOOPBACK
    return bool(split.hostname) and (split.scheme == "https" or loopback)


def _strings(body: dict[str, Any], name: str) -> frozenset[str]:
    return frozenset(as_str(value) for value in as_list(body.get(name)))
