"""An EPR's FHIR server: one transaction in, and a search to see whether it got there.

What an error means is the point of this file: TryLater when nothing was done, Refused when the EPR
said no, OutcomeUnknown when it may have been done and nobody heard the answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import httpx

from fhir_gateway.errors import OutcomeUnknown, Refused, TryLater
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.bundle import resources
from fhir_gateway.fhir.http import retry_after
from fhir_gateway.fhir.identifiers import REQUEST_ID, token
from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str

#: The sum of these bounds one POST; the settle time before looking must be longer.
TIMEOUT = httpx.Timeout(20.0, connect=5.0)
#: The EPR did not start on it.
_NOT_DONE = frozenset({408, 425, 429, 503})
#: Of the R4 value set issue-type. Whatever else stands there is not repeated.
_ISSUE_CODE = re.compile(r"(?=.{1,20}$)[a-z]+(-[a-z]+)*")
_MAX_BODY = 5_000_000


@dataclass(frozen=True, slots=True)
class Delivered:
    """What the EPR called the resources, as `Type/id`, in the order of the Bundle."""

    references: list[str]


class EprClient:
    """One EPR. `base_url`: of its FHIR server. `auth`: adds credentials; None for none."""

    def __init__(
        self,
        base_url: str,
        *,
        auth: httpx.Auth | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = httpx.Client(
            base_url=base_url.rstrip("/") + "/",
            auth=auth,
            timeout=TIMEOUT,
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
        if as_dict(body).get("resourceType") != "Bundle":
            # Taken for nothing found, this would have the request sent a second time.
            raise TryLater("The EPR's answer to a search is no Bundle", code="epr-shape")
        # A lenient server answers a parameter it does not know with everything it has.
        return [
            f"{resource_type}/{resource['id']}"
            for resource in resources(body, resource_type)
            if resource.get("id") and _carries(resource, request_id)
        ]

    def transact(self, bundle: Resource, *, request_id: str) -> Delivered:
        """Post a transaction Bundle once.

        Raises TryLater (nothing was done), Refused (a definite no), OutcomeUnknown.
        """
        try:
            response = self._http.post(
                "",
                content=fhir_json.dump(bundle),
                headers={
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


def _carries(resource: Resource, request_id: str) -> bool:
    identifiers = map(as_dict, as_list(resource.get("identifier")))
    return any((i.get("system"), i.get("value")) == (REQUEST_ID, request_id) for i in identifiers)


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
    references = []
    for index, entry in enumerate(entries):
        answer = as_dict(entry.get("response"))
        if not as_str(answer.get("status")).startswith("2"):
            raise OutcomeUnknown(
                f"The EPR took the Bundle but not entry {index}", code="epr-entry-refused"
            )
        references.append(_reference(as_str(answer.get("location"))))
    return Delivered([r for r in references if r])


def _reference(location: str) -> str:
    """`Type/id` of a Location, absolute or not, with a version or not."""
    parts = location.partition("/_history/")[0].rstrip("/").split("/")
    return "/".join(parts[-2:]) if len(parts) > 1 else ""


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
    code = as_str(as_dict(issues[0]).get("code")) if issues else ""
    return code if _ISSUE_CODE.fullmatch(code) else "no OperationOutcome"
