"""Speaks HTTP to a served sandbox PDS, for the tests of this folder."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from fhir_gateway.sandbox.pds.app import BASE_PATH

#: What an application sends. Without registered applications any token is good.
OWN = {"Authorization": "Bearer any-token"}


class Client:
    """Speaks to one served sandbox, as an application with a token and a fresh request id unless
    `headers` are given."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def get(
        self,
        path: str,
        params: Sequence[tuple[str, str]] | Mapping[str, str] = (),
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        sent = {**OWN, "X-Request-ID": str(uuid.uuid4())} if headers is None else headers
        pairs = list(params.items()) if isinstance(params, Mapping) else list(params)
        return self.http.get(BASE_PATH + path, params=tuple(pairs), headers=dict(sent))

    def search(self, **params: Any) -> httpx.Response:
        """Search; `_` within a name stands for `-`; `fuzzy`, `exact`, `history` are the flags."""
        flags = {"fuzzy": "_fuzzy-match", "exact": "_exact-match", "history": "_history"}
        pairs = []
        for name, value in params.items():
            own = flags.get(name, name if name[0] == "_" else name.replace("_", "-"))
            values = value if isinstance(value, list) else [value]
            pairs += [(own, "true" if v is True else str(v)) for v in values]
        return self.get("/Patient", pairs)

    def found(self, **params: Any) -> list[str]:
        """NHS numbers a search finds; `["many"]` when they are too many."""
        answer = self.search(**params)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        if body["resourceType"] == "OperationOutcome":
            assert body["issue"][0]["details"]["coding"][0]["code"] == "TOO_MANY_MATCHES"
            return ["many"]
        assert body["total"] == len(body.get("entry", []))
        return [entry["resource"]["id"] for entry in body.get("entry", [])]

    def score(self, **params: Any) -> float:
        """The score of the only result."""
        body = self.search(**params).json()
        assert body["total"] == 1
        return float(body["entry"][0]["search"]["score"])


def spine_code(answer: httpx.Response) -> str:
    """The Spine code of an OperationOutcome."""
    body = answer.json()
    assert body["resourceType"] == "OperationOutcome"
    return str(body["issue"][0]["details"]["coding"][0]["code"])
