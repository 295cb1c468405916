"""One exchange of HTTP with an EPR, with every bound that a hostile or broken server calls for.

What is known afterwards is the point: TryLater when nothing left this machine, OutcomeUnknown when
something did and no whole answer came back, else an Answer whatever its status.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import httpx

from fhir_gateway.errors import OutcomeUnknown, TryLater
from fhir_gateway.fhir import wire
from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str

TIMEOUT = httpx.Timeout(20.0, connect=5.0)
#: Seconds for the whole answer, once its headers are there.
BODY_SECONDS = 20.0
#: The longest an exchange takes, a new token included; the settle time must be longer.
LONGEST_SECONDS = 55.0
MAX_BODY = 5_000_000
#: Of the R4 value set issue-type.
_ISSUE_CODE = re.compile(r"(?=.{1,20}$)[a-z]+(-[a-z]+)*")
#: As Epic (59108) and BaRS (REC_CONFLICT) number what is wrong.
_DETAIL_CODE = re.compile(r"[0-9]{2,6}|[A-Z][A-Z_]{2,39}")
#: Broken before anything of the request was on its way.
_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `body`: the FHIR resource, or {} when there was none that can be read.
    `foreign`: whether there was something else instead, such as a page of a proxy."""

    status: int
    headers: Mapping[str, str]
    body: Resource
    foreign: bool = False

    @property
    def success(self) -> bool:
        """Whether the status is 2xx."""
        return httpx.codes.is_success(self.status)

    @property
    def issues(self) -> list[dict[str, Any]]:
        """The issues, when the body is an OperationOutcome."""
        if self.body.get("resourceType") != "OperationOutcome":
            return []
        return [as_dict(issue) for issue in as_list(self.body.get("issue"))]

    @property
    def issue_codes(self) -> list[str]:
        """Codes of the issues and of their details; never texts, which can quote a patient, nor
        what only stands where a code should."""
        found = []
        for issue in self.issues:
            code = as_str(issue.get("code"))
            found += [code] if _ISSUE_CODE.fullmatch(code) else []
            for coding in map(as_dict, as_list(as_dict(issue.get("details")).get("coding"))):
                code = as_str(coding.get("code"))
                found += [code] if _DETAIL_CODE.fullmatch(code) else []
        return found

    @property
    def failed_issues(self) -> bool:
        """Whether an issue says that something went wrong, whatever the status says."""
        return any(issue.get("severity") in ("error", "fatal") for issue in self.issues)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the issues say, for people who may read the request. At most twenty."""
        return tuple(
            f"{as_str(issue.get('severity'))} {as_str(issue.get('code'))}: {_words(issue)}"
            for issue in self.issues[:20]
            if issue.get("severity") != "information"
        )


@runtime_checkable
class _Closing(Protocol):
    """Credentials that keep connections of their own."""

    def close(self) -> None:
        """Close them."""


class Exchange:
    """HTTP with one FHIR server.

    `base_url`: of the server. `auth`: adds credentials, to this server only. `verify`: an SSL
    context with a client certificate, for mutual TLS.
    """

    def __init__(
        self,
        base_url: str,
        *,
        auth: httpx.Auth | None = None,
        verify: Any = True,
        transport: httpx.BaseTransport | None = None,
        body_seconds: float = BODY_SECONDS,
        timeout: httpx.Timeout = TIMEOUT,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._body_seconds = body_seconds
        self._auth = auth
        self._http = httpx.Client(
            base_url=self.base_url + "/",
            auth=auth,
            verify=verify,
            timeout=timeout,
            transport=transport,
            # A redirect could lead credentials and patient data to another host (ASVS 15.3.2).
            follow_redirects=False,
        )

    def close(self) -> None:
        """Close the connections, those of the credentials too."""
        self._http.close()
        if isinstance(self._auth, _Closing):
            self._auth.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        content: httpx.SyncByteStream | None = None,
        params: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request; `path` is below the base, "" the base itself, as it was configured: a
        slash at its end is another address to some servers. Raises TryLater, OutcomeUnknown, and
        what getting a token raises (nothing was sent then)."""
        try:
            with self._http.stream(
                method,
                path or self.base_url,
                content=content,
                params=tuple(params),
                headers=headers,
            ) as response:
                body = self._read(response)
        except _NOT_SENT as error:
            raise TryLater(
                f"The EPR could not be reached ({type(error).__name__})", code="epr-unreachable"
            ) from None
        except httpx.HTTPError as error:
            raise OutcomeUnknown(
                f"The EPR fell silent ({type(error).__name__})", code="epr-silent"
            ) from None
        resource = wire.decode(body, response.headers.get("content-type", "")) if body else None
        foreign = not resource and (body is None or body.strip() != b"")
        return Answer(response.status_code, response.headers, resource or {}, foreign)

    def _read(self, response: httpx.Response) -> bytes | None:
        """The whole body; None when it is larger than we read. Raises httpx.ReadTimeout when it
        trickles."""
        deadline = time.monotonic() + self._body_seconds
        chunks, size = [], 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > MAX_BODY:
                return None
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("the body took too long")
            chunks.append(chunk)
        return b"".join(chunks)


def _words(issue: Mapping[str, Any]) -> str:
    text = as_str(as_dict(issue.get("details")).get("text")) or as_str(issue.get("diagnostics"))
    return " ".join(text.split())[:300]
