"""A small real HTTP server whose answers a test chooses, and which remembers what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

FHIR_JSON = "application/fhir+json"


@dataclass
class Asked:
    """One request that came in."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Recorder:
    """Answers by `METHOD /path` (the path below the base), else 404 with an OperationOutcome."""

    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    #: Called once, before the first answer.
    before: Callable[[], None] | None = None

    def on(
        self,
        what: str,
        content: Any = b"",
        status: int = 200,
        content_type: str = FHIR_JSON,
        **headers: str,
    ) -> None:
        """Choose an answer; a header `content_location` is sent as Content-Location."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if body:
            named["content-type"] = content_type
        self.answers[what] = (status, named, body)

    @property
    def app(self) -> Starlette:
        """To be served."""
        methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
        return Starlette(routes=[Route("/{path:path}", self._answer, methods=methods)])

    async def _answer(self, request: Request) -> Response:
        if self.before:
            self.before()
            self.before = None
        body = await request.body()
        raw_path = request.scope["raw_path"].decode()
        self.asked.append(
            Asked(
                request.method,
                raw_path,
                request.scope["query_string"].decode(),
                dict(request.headers),
                body,
            )
        )
        outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}
        missing = (404, {"content-type": FHIR_JSON}, json.dumps(outcome).encode())
        status, headers, content = self.answers.get(f"{request.method} {raw_path}", missing)
        return Response(content, status, headers)
