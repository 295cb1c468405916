"""PDS FHIR API in application-restricted mode: search for one record, read one record.

A repeated call has the X-Request-ID of the first, so that PDS can tell it is one
(https://digital.nhs.uk/developer/api-catalogue/personal-demographics-service-fhir#headers).
Search parameters are in the URL, as the API demands, and so no URL is ever logged.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import httpx

from fhir_gateway.errors import Refused, TryLater
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.http import retry_after
from fhir_gateway.fhir.types import as_dict, as_str
from fhir_gateway.pds.answers import Answer, Found, NotFound, of_search, spine_code

TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_RETRYABLE = frozenset({408, 425, 429, 500, 502, 503, 504})
_MAX_BODY = 2_000_000


class PdsClient:
    """One PDS environment.

    `base_url`: up to `/FHIR/R4`. `ods_code`: the organisation on whose behalf calls are made, for a
    gateway of several (mandatory then). `auth`: adds the Authorization header; None for the open
    sandbox.
    """

    def __init__(
        self,
        base_url: str,
        *,
        auth: httpx.Auth | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = httpx.Client(
            base_url=base_url.rstrip("/"),
            auth=auth,
            timeout=TIMEOUT,
            transport=transport,
            follow_redirects=False,
            headers={"Accept": "application/fhir+json"},
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def search(
        self, params: Sequence[tuple[str, str]], *, request_id: uuid.UUID, ods_code: str
    ) -> Answer:
        """One search. `request_id`: the same for every try of this search.

        Raises Refused, TryLater.
        """
        status, body, after = self._get("/Patient", params, request_id, ods_code)
        if status == httpx.codes.OK:
            answer = of_search(body)
            if answer is None:
                raise Refused("PDS answered a search with something else", code="pds-shape")
            return answer
        raise _error(status, body, after)

    def read(self, nhs_number: str, *, request_id: uuid.UUID, ods_code: str) -> Answer:
        """The record of an NHS number; the record that superseded it, where one did.

        Raises Refused, TryLater.
        """
        status, body, after = self._get(f"/Patient/{nhs_number}", [], request_id, ods_code)
        if status == httpx.codes.OK and as_dict(body).get("resourceType") == "Patient":
            return Found(body) if as_str(body.get("id")) else NotFound()
        if status == httpx.codes.NOT_FOUND:
            return NotFound(invalidated=spine_code(body) == "INVALIDATED_RESOURCE")
        if status == httpx.codes.BAD_REQUEST and spine_code(body) == "INVALID_RESOURCE_ID":
            return NotFound()
        raise _error(status, body, after)

    def _get(
        self,
        path: str,
        params: Sequence[tuple[str, str]],
        request_id: uuid.UUID,
        ods_code: str,
    ) -> tuple[int, Any, float | None]:
        headers = {
            "X-Request-ID": str(request_id),
            "NHSD-End-User-Organisation-ODS": ods_code,
        }
        try:
            response = self._http.get(path, params=tuple(params), headers=headers)
        except httpx.HTTPError as error:
            # A GET changes nothing: whatever broke, it can be tried again.
            raise TryLater(
                f"PDS could not be reached ({type(error).__name__})", code="pds-unreachable"
            ) from None
        try:
            body = fhir_json.parse(response.content, max_bytes=_MAX_BODY)
        except fhir_json.JsonRefused:
            body = None
            if response.is_success:
                raise TryLater("PDS answered with broken JSON", code="pds-broken") from None
        return response.status_code, body, retry_after(response.headers.get("retry-after"))


def _error(status: int, body: Any, after: float | None) -> Refused | TryLater:
    code = spine_code(body) or "none"
    if status in _RETRYABLE:
        return TryLater(f"PDS answered {status} ({code})", code=f"pds-{status}", after=after)
    return Refused(f"PDS answered {status} ({code})", code=f"pds-{status}")
