"""Passes requests on to a server of somebody else, so that it can lie, hang and die as a stand-in
does."""

from __future__ import annotations

import httpx
from starlette.requests import Request
from starlette.responses import Response

#: Of one connection, or made anew.
_HOPS = {"connection", "content-length", "content-encoding", "transfer-encoding", "accept-encoding"}


class Relay:
    """An ASGI app. `origin`: scheme, host and port of the server; paths stay as they are, and so
    does the Host, so that the server's links lead here."""

    def __init__(self, origin: str) -> None:
        self._http = httpx.AsyncClient(base_url=origin, timeout=60)

    async def __call__(self, scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        if scope["type"] != "http":
            return
        asked = Request(scope, receive)
        answer = await self._http.request(
            asked.method,
            httpx.URL(path=asked.url.path, query=asked.url.query.encode()),
            content=await asked.body(),
            headers=[(k, v) for k, v in asked.headers.items() if k not in _HOPS],
        )
        headers = {k: v for k, v in answer.headers.items() if k not in _HOPS}
        await Response(answer.content, answer.status_code, headers)(scope, receive, send)
