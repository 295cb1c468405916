"""A FHIR terminology server: `ValueSet/$expand`, remembered for a while.

https://hl7.org/fhir/R4/valueset-operation-expand.html. Only the server that the operator names is
asked: the one that a Questionnaire prefers (preferredTerminologyServer) is an address from a file,
and an address from a file is not called.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import httpx

from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.terminology import MAX_CODES, NotExpandable
from fhir_gateway.fhir.types import Resource, as_list

_MAX_BYTES = 5_000_000
_TIMEOUT = 10.0
_HEADERS = {"Accept": "application/fhir+json", "Content-Type": "application/fhir+json"}


@dataclass(frozen=True, slots=True)
class _Kept:
    found: Resource | NotExpandable
    until: float


class TerminologyServer:
    """Expands value sets over HTTP; an Expander (fhir/terminology.py). Safe for threads.

    `base`: the server's FHIR base, such as https://r4.example.org/fhir. `keep`: seconds for which
    an expansion is remembered; a failure is remembered for `keep_failure`, so that a server that
    is down is not asked at every answer.
    """

    def __init__(
        self,
        base: str,
        client: httpx.Client | None = None,
        *,
        keep: float = 3600.0,
        keep_failure: float = 30.0,
    ) -> None:
        self._base = base.rstrip("/")
        self._client = client or httpx.Client(timeout=_TIMEOUT)
        self._keep = keep
        self._keep_failure = keep_failure
        self._known: dict[str, _Kept] = {}
        self._lock = threading.Lock()

    def expand(self, canonical: str, value_set: Resource | None) -> Resource:
        """The value set with its expansion.

        `value_set`: the resource, when it is at hand but cannot be expanded there. Raises
        NotExpandable.
        """
        key = canonical if value_set is None else fhir_json.dump(value_set).decode()
        with self._lock:
            kept = self._known.get(key)
        if kept is None or kept.until < time.monotonic():
            kept = self._fetched(canonical, value_set)
            with self._lock:
                self._known[key] = kept
        if isinstance(kept.found, NotExpandable):
            raise kept.found
        return kept.found

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _fetched(self, canonical: str, value_set: Resource | None) -> _Kept:
        try:
            found: Resource | NotExpandable = self._fetch(canonical, value_set)
            seconds = self._keep
        except NotExpandable as error:
            found, seconds = error, self._keep_failure
        return _Kept(found, time.monotonic() + seconds)

    def _fetch(self, canonical: str, value_set: Resource | None) -> Resource:
        address = f"{self._base}/ValueSet/$expand"
        try:
            if value_set is None:
                url, _, version = canonical.partition("|")
                params = {"url": url, "count": str(MAX_CODES + 1)}
                if version:
                    params["valueSetVersion"] = version
                answer = self._client.get(address, params=params, headers=_HEADERS)
            else:
                body = {
                    "resourceType": "Parameters",
                    "parameter": [
                        {"name": "valueSet", "resource": value_set},
                        {"name": "count", "valueInteger": MAX_CODES + 1},
                    ],
                }
                answer = self._client.post(address, content=fhir_json.dump(body), headers=_HEADERS)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotExpandable(
                canonical, f"the terminology server cannot be reached ({type(error).__name__})"
            ) from None
        return _expansion(canonical, answer)


def _expansion(canonical: str, answer: httpx.Response) -> Resource:
    if answer.status_code != httpx.codes.OK:
        raise NotExpandable(
            canonical, f"the terminology server answers {answer.status_code}"
        ) from None
    try:
        found = fhir_json.parse(answer.content, max_bytes=_MAX_BYTES)
    except fhir_json.JsonRefused as error:
        raise NotExpandable(canonical, f"the terminology server's answer: {error}") from None
    if not isinstance(found, dict) or found.get("resourceType") != "ValueSet":
        raise NotExpandable(canonical, "the terminology server's answer is not a ValueSet")
    expansion = found.get("expansion")
    if not isinstance(expansion, dict):
        raise NotExpandable(canonical, "the terminology server's answer has no expansion")
    total = expansion.get("total")
    if isinstance(total, int) and total > len(as_list(expansion.get("contains"))) > MAX_CODES:
        raise NotExpandable(canonical, f"it has {total} codes, more than {MAX_CODES}")
    # A value set without codes has no `contains`; an empty one says that it was expanded.
    return {**found, "expansion": {"contains": [], **expansion}}
