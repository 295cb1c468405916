"""An EPR's FHIR server: what it declares, searches in it, and single writes to it.

How an answer is understood is in outcomes.py; here is what is asked, and how. Which writes make a
request is for the strategies (transaction.py, creates.py, message.py).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import httpx

from fhir_gateway.epr import capability, outcomes
from fhir_gateway.epr.capability import Capability
from fhir_gateway.epr.exchange import Answer, Exchange
from fhir_gateway.epr.fence import FencedBody, Guard, unguarded
from fhir_gateway.errors import OutcomeUnknown, Refused, TryLater
from fhir_gateway.fhir import wire
from fhir_gateway.fhir.identifiers import token
from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str
from fhir_gateway.provider.endpoint import WireFormat

#: How long what /metadata said is believed.
STATEMENT_SECONDS = 6 * 3600.0
SEARCH_IGNORED = "epr-search-ignored"
#: HAPI FHIR answers the same search from its memory for a minute unless it is told not to
#: (https://hapifhir.io/hapi-fhir/docs/server_jpa/performance.html): what was written since would
#: not be found, and be written again.
_FRESH = {"Cache-Control": "no-cache"}


class EprClient:
    """One EPR. `base_url`: of its FHIR server. `auth`: adds credentials; None for none.

    `format`: of what is sent and asked for; AUTO follows /metadata. `verify`: for mutual TLS, an
    SSL context. `seconds`: how long an answer may take.
    """

    def __init__(
        self,
        base_url: str,
        *,
        auth: httpx.Auth | None = None,
        verify: Any = True,
        format: WireFormat = WireFormat.AUTO,
        transport: httpx.BaseTransport | None = None,
        seconds: float = 20.0,
        exchange: Exchange | None = None,
    ) -> None:
        self._exchange = exchange or Exchange(
            base_url,
            auth=auth,
            verify=verify,
            transport=transport,
            body_seconds=seconds,
            timeout=httpx.Timeout(seconds, connect=min(seconds, 5.0)),
        )
        self._format = format
        self._lock = threading.Lock()
        self._statement: tuple[float, Resource] | None = None

    def close(self) -> None:
        """Close the connections."""
        self._exchange.close()

    def metadata(self) -> Resource:
        """The CapabilityStatement, asked for now. Raises Refused, TryLater."""
        accept = (
            f"{wire.JSON}, {wire.XML};q=0.5" if self._format is not WireFormat.XML else wire.XML
        )
        body = self._get("metadata", (), accept)
        if body.get("resourceType") != "CapabilityStatement":
            raise Refused("The EPR's /metadata is no CapabilityStatement", code="epr-metadata")
        with self._lock:
            self._statement = (time.monotonic(), body)
        return body

    def capability(self) -> Capability:
        """What the EPR declares, asked for when nobody did lately. Raises Refused, TryLater."""
        with self._lock:
            kept = self._statement
        if kept is None or time.monotonic() - kept[0] > STATEMENT_SECONDS:
            return capability.read(self.metadata())
        return capability.read(kept[1])

    def media_type(self) -> str:
        """The media type to send and ask for. Raises Refused, TryLater when /metadata must say."""
        match self._format:
            case WireFormat.JSON:
                return wire.JSON
            case WireFormat.XML:
                return wire.XML
            case _:
                return wire.XML if self.capability().only_xml else wire.JSON

    def found_by(self, resource_type: str, params: Sequence[tuple[str, str]]) -> list[Resource]:
        """The resources of one page of a search; of one type. Raises Refused, TryLater."""
        body = self._get(resource_type, params, self.media_type())
        if body.get("resourceType") != "Bundle":
            raise TryLater("The EPR answered a search without a Bundle", code="epr-no-bundle")
        entries = map(as_dict, as_list(body.get("entry")))
        found = [as_dict(entry.get("resource")) for entry in entries]
        return [r for r in found if r.get("resourceType") == resource_type and r.get("id")]

    def search(self, resource_type: str, form: dict[str, str]) -> Any:
        """The body of a search sent as a form, so that what is searched for is in no address.

        Raises Refused, TryLater.
        """
        content = FencedBody(urlencode(form).encode(), lambda: None)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": self.media_type(),
            **_FRESH,
            **content.headers,
        }
        try:
            answer = self._exchange.call(
                "POST", f"{resource_type}/_search", content=content, headers=headers
            )
        except OutcomeUnknown as error:
            raise TryLater(str(error), code=error.code) from None
        if not answer.success:
            raise outcomes.of_read(answer)
        return answer.body

    def by_identifier(self, resource_type: str, system: str, value: str) -> list[Resource]:
        """The resources that have an identifier.

        Raises Refused (code epr-search-ignored) when the server passed over the parameter and
        answered with others: what it left out cannot be told from what is not there. Raises
        Refused, TryLater.
        """
        found = self.found_by(resource_type, [("identifier", token(system, value))])
        having = [r for r in found if has_identifier(r, system, value)]
        if found and not having:
            raise Refused(
                f"The EPR passes over the parameter identifier in a search of {resource_type}",
                code=SEARCH_IGNORED,
            )
        return having

    def read(self, reference: str) -> Resource:
        """One resource by `Type/id`. Raises Refused, TryLater."""
        return self._get(reference, (), self.media_type())

    def write(
        self,
        method: str,
        path: str,
        resource: Resource,
        *,
        request_id: str,
        guard: Guard = unguarded,
        if_none_exist: str = "",
    ) -> Answer:
        """Write once, behind its guard; the answer is a success that no issue contradicts.

        Raises TryLater (nothing was done), Refused, OutcomeUnknown, outcomes.Present.
        """
        media_type = self.media_type()
        content = wire.encode(resource, media_type)
        headers = {
            "Accept": media_type,
            "Content-Type": media_type,
            "Prefer": "return=minimal",
            "X-Request-Id": request_id,
            **({"If-None-Exist": if_none_exist} if if_none_exist else {}),
        }
        body = FencedBody(content, guard())
        answer = self._exchange.call(
            method, path, content=body, headers={**headers, **body.headers}
        )
        if not answer.success:
            raise outcomes.of_write(answer)
        if answer.failed_issues:
            raise OutcomeUnknown(
                f"The EPR answered {answer.status}, and an OperationOutcome with an error "
                f"({', '.join(answer.issue_codes[:4])})",
                code="epr-contradicts",
            )
        return answer

    def _get(self, path: str, params: Sequence[tuple[str, str]], accept: str) -> Resource:
        try:
            answer = self._exchange.call(
                "GET", path, params=params, headers={"Accept": accept, **_FRESH}
            )
        except OutcomeUnknown as error:
            # A read has no effect, so it can simply be tried again.
            raise TryLater(str(error), code=error.code) from None
        if not answer.success:
            raise outcomes.of_read(answer)
        if not answer.body:
            raise TryLater("The EPR answered without a FHIR resource", code="epr-not-fhir")
        return answer.body


def has_identifier(resource: Resource, system: str, value: str) -> bool:
    """Whether a resource has this identifier, whether it can have one or many."""
    given = resource.get("identifier")
    identifiers = as_list(given) or [given]
    return any(
        as_dict(i).get("system") == system and as_str(as_dict(i).get("value")) == value
        for i in identifiers
    )
