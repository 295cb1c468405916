"""Puts the faults that are on between the client and the FHIR server."""

from __future__ import annotations

from functools import partial
from urllib.parse import parse_qsl, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fhir_gateway.sandbox.epr.fhir_http import FHIR_PATH
from fhir_gateway.sandbox.epr.injected.exchange import Answered, Fault, Proceed, Sent
from fhir_gateway.sandbox.epr.injected.switchboard import Switchboard

#: Of a message that was changed, what no longer holds.
_LENGTH = "content-length"


class Inject:
    """ASGI middleware. Without a fault that is on it passes everything on untouched."""

    def __init__(self, app: ASGIApp, *, board: Switchboard) -> None:
        self._app = app
        self._board = board

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, with the faults that are on."""
        is_fhir = scope["type"] == "http" and _below(scope["path"]) is not None
        faults = self._board.faults if is_fhir else []
        if not faults:
            await self._app(scope, receive, send)
            return
        body = await _read(receive)
        if body is None:
            return
        proceed: Proceed = partial(self._proceed, scope)
        for fault in faults:
            proceed = _through(fault, proceed)
        await _give(await proceed(_sent(scope, body)), send)

    async def _proceed(self, scope: Scope, sent: Sent) -> Answered:
        """Have the server answer."""
        path = f"{FHIR_PATH}/{sent.path}".rstrip("/")
        headers = {**sent.headers, _LENGTH: str(len(sent.body))}
        changed = {
            **scope,
            "method": sent.method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": urlencode(sent.query).encode(),
            "headers": [(n.encode("latin-1"), v.encode("latin-1")) for n, v in headers.items()],
            "state": dict(scope.get("state", {})),
        }
        answer = Answering()
        await self._app(changed, _replay(sent.body), answer)
        return answer.whole()


class Answering:
    """Collects an answer instead of sending it."""

    def __init__(self) -> None:
        self._status = 500
        self._headers: dict[str, str] = {}
        self._body = b""

    async def __call__(self, message: Message) -> None:
        """Take a part of the answer."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = {
                name.decode("latin-1").lower(): value.decode("latin-1")
                for name, value in message["headers"]
            }
        else:
            self._body += message.get("body", b"")

    def whole(self) -> Answered:
        """The answer."""
        return Answered(self._status, self._headers, self._body)


def _through(fault: Fault, proceed: Proceed) -> Proceed:
    async def answered(sent: Sent) -> Answered:
        return await fault(sent, proceed)

    return answered


def _below(path: str) -> str | None:
    """The path below the FHIR base, or None for one that is not."""
    if path != FHIR_PATH and not path.startswith(f"{FHIR_PATH}/"):
        return None
    return path.removeprefix(FHIR_PATH).strip("/")


def _sent(scope: Scope, body: bytes) -> Sent:
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    headers = {n.decode("latin-1").lower(): v.decode("latin-1") for n, v in scope["headers"]}
    return Sent(scope["method"], _below(scope["path"]) or "", tuple(query), headers, body)


async def _read(receive: Receive) -> bytes | None:
    """The body, or None when the client went away."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)


def _replay(body: bytes) -> Receive:
    parts: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return parts.pop() if parts else {"type": "http.disconnect"}

    return receive


async def _give(answered: Answered, send: Send) -> None:
    headers = {**answered.headers, _LENGTH: str(len(answered.body))}
    if answered.status == 204:  # noqa: PLR2004 - No Content has no length
        del headers[_LENGTH]
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answered.status, "headers": raw})
    await send({"type": "http.response.body", "body": answered.body})
