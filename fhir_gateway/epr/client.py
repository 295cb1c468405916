"""An EPR's FHIR server: one transaction in, and a search to see whether it got there.

What an error means is the point of this file: TryLater when nothing was done, Refused when the EPR
said no, OutcomeUnknown when it may have been done and nobody heard the answer.
"""

from __future__ import annotations

from typing import Any

import httpx

from fhir_gateway.epr.adapter import Delivered, Landed
from fhir_gateway.epr.fence import FencedBody, Guard, unguarded
from fhir_gateway.errors import OutcomeUnknown, Refused, TryLater
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.http import retry_after
from fhir_gateway.fhir.identifiers import REQUEST_ID, token
from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str

#: The sum of these bounds one POST; the settle time before looking must be longer.
TIMEOUT = httpx.Timeout(20.0, connect=5.0)
#: The EPR did not start on it.
_NOT_DONE = frozenset({408, 425, 429, 503})
_MAX_BODY = 5_000_000


class EprClient:
    """One EPR. `base_url`: of its FHIR server. `auth`: adds credentials; None for none."""

    def __init__(
        self,
        base_url: str,
        *,
        auth: httpx.Auth | None = None,
        transport: httpx.BaseTransport | None = None,
        timeout: httpx.Timeout = TIMEOUT,
    ) -> None:
        self._http = httpx.Client(
            base_url=base_url.rstrip("/") + "/",
            auth=auth,
            timeout=timeout,
            transport=transport,
            # A redirect could lead credentials and patient data to another host (ASVS 15.3.2).
            follow_redirects=False,
            headers={"Accept": "application/fhir+json"},
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def metadata(self) -> Resource:
        """The CapabilityStatement. Raises Refused, TryLater."""
        body = self._get("metadata", {})
        if as_dict(body).get("resourceType") != "CapabilityStatement":
            raise Refused("The EPR's /metadata is no CapabilityStatement", code="epr-metadata")
        return as_dict(body)

    def find(self, resource_type: str, request_id: str) -> list[str]:
        """The `Type/id` of resources with the identifier of a request.

        Raises Refused, TryLater.
        """
        body = self._get(resource_type, {"identifier": token(REQUEST_ID, request_id)})
        return [
            f"{resource_type}/{resource['id']}"
            for entry in map(as_dict, as_list(as_dict(body).get("entry")))
            if (resource := as_dict(entry.get("resource"))).get("resourceType") == resource_type
            and resource.get("id")
        ]

    def transact(self, bundle: Resource, *, request_id: str, guard: Guard = unguarded) -> Delivered:
        """Post a transaction Bundle once, behind its guard.

        Raises TryLater (nothing was done), Refused (a definite no), OutcomeUnknown.
        """
        body = FencedBody(fhir_json.dump(bundle), guard())
        try:
            response = self._http.post(
                "",
                content=body,
                headers={
                    **body.headers,
                    "Content-Type": "application/fhir+json",
                    "Prefer": "return=minimal",
                    "X-Request-Id": request_id,
                },
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise TryLater(
                f"The EPR could not be reached ({type(error).__name__})", code="epr-unreachable"
            ) from None
        except httpx.HTTPError as error:
            raise OutcomeUnknown(
                f"The EPR fell silent ({type(error).__name__})", code="epr-silent"
            ) from None
        if response.is_success:
            return _delivered(response, bundle)
        raise _error(response)

    def _get(self, path: str, params: dict[str, str]) -> Any:
        try:
            response = self._http.get(path, params=params)
        except httpx.HTTPError as error:
            raise TryLater(
                f"The EPR could not be reached ({type(error).__name__})", code="epr-unreachable"
            ) from None
        if not response.is_success:
            answer = _error(response)
            if isinstance(answer, OutcomeUnknown):
                # A read has no effect, so it can simply be tried again.
                raise TryLater(str(answer), code=answer.code)
            raise answer
        return _json(response)


def _delivered(response: httpx.Response, bundle: Resource) -> Delivered:
    """The references of a transaction-response. Anything else with a 2xx says nothing certain."""
    body = as_dict(_json(response))
    entries = [as_dict(e) for e in as_list(body.get("entry"))]
    expected = len(as_list(bundle.get("entry")))
    if body.get("type") != "transaction-response" or len(entries) != expected:
        raise OutcomeUnknown(
            f"The EPR answered {response.status_code} without a transaction-response",
            code="epr-no-response",
        )
    resources = []
    for index, entry in enumerate(entries):
        answer = as_dict(entry.get("response"))
        if not as_str(answer.get("status")).startswith("2"):
            raise OutcomeUnknown(
                f"The EPR took the Bundle but not entry {index}", code="epr-entry-refused"
            )
        landed = _landed(as_str(answer.get("location")))
        if landed:
            resources.append(landed)
    return Delivered(tuple(resources))


def _landed(location: str) -> Landed | None:
    """What a Location names, absolute or not, with a version or not."""
    path, _, version = location.partition("/_history/")
    parts = path.rstrip("/").split("/")
    return Landed("/".join(parts[-2:]), version) if len(parts) > 1 else None


def _json(response: httpx.Response) -> Any:
    try:
        return fhir_json.parse(response.content, max_bytes=_MAX_BODY)
    except fhir_json.JsonRefused:
        return None


def _error(response: httpx.Response) -> Refused | TryLater | OutcomeUnknown:
    status = response.status_code
    code = _issue_code(_json(response))
    message = f"The EPR answered {status} ({code})"
    if status in _NOT_DONE:
        after = retry_after(response.headers.get("retry-after"))
        return TryLater(message, code=f"epr-{status}", after=after)
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        # Something broke, perhaps after it was done: look before sending again.
        return OutcomeUnknown(message, code=f"epr-{status}")
    return Refused(message, code=f"epr-{status}")


def _issue_code(body: Any) -> str:
    """The issue code of an OperationOutcome. Its diagnostics can hold data, so never those."""
    issues = as_list(as_dict(body).get("issue"))
    return as_str(as_dict(issues[0]).get("code")) if issues else "no OperationOutcome"
