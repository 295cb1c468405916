"""A stand-in (EPR, PDS or phone) that lies, hangs and dies, as a process of its own.

    python tests/faults/neighbour.py epr --port 9000 --storage epr.db --faults faults --seed 1

Faults come by chance while the file `--faults` is there: they can be switched off at once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

sys.path.insert(0, str(Path(__file__).parents[2]))

#: Out of a thousand POSTs. `late` ones are answered, or done, after the gateway stopped waiting.
WRITE_FAULTS = {
    "429": 30,
    "503": 40,
    "500": 30,
    "500 when done": 40,
    "dropped when done": 60,
    "silent when done": 30,
    "late, then done": 50,
    "done, then late": 30,
}
READ_FAULTS = {"500": 30, "429": 20, "silent when done": 20}


class Remembering:
    """Answers the same search from memory, as HAPI FHIR does for a minute, unless it is told not
    to."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._answers: dict[tuple[str, bytes], list[Message]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or not scope["query_string"]:
            await self._app(scope, receive, send)
            return
        asked = scope["path"], scope["query_string"]
        fresh = (b"cache-control", b"no-cache") in scope["headers"]
        if fresh or asked not in self._answers:
            answer: list[Message] = []

            async def keep(message: Message) -> None:
                answer.append(message)

            await self._app(scope, receive, keep)
            self._answers[asked] = answer
        for message in self._answers[asked]:
            await send(message)


class Faulty:
    """An app behind a network, and a load balancer, of the worst kind."""

    def __init__(self, app: ASGIApp, switch: Path, seed: int, slow: float, *, forget: bool) -> None:
        self._app = app
        self._switch = switch
        self._random = random.Random(seed)
        self._slow = slow
        self._forget = forget

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await _read(receive)
        if self._forget and scope["method"] == "POST":
            scope, body = _without_conditions(scope, body)
        fault = self._fault(scope)
        if fault in ("429", "503", "500"):
            await self._refuse(int(fault), send)
        else:
            await self._do(fault, scope, body, send)

    async def _do(self, fault: str, scope: Scope, body: bytes, send: Send) -> None:
        """Do what was asked, and answer as the fault wants it."""
        if fault == "late, then done":
            await asyncio.sleep(self._random.uniform(0.5, self._slow))
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        await self._app(scope, _replay(body), keep)
        if fault == "done, then late":
            await asyncio.sleep(self._random.uniform(0.5, self._slow))
        if fault == "500 when done":
            await self._refuse(500, send)
        elif fault in ("dropped when done", "silent when done"):
            if fault == "silent when done":
                await asyncio.sleep(self._slow * 2)
            await _break_off(send)
        else:
            for message in answer:
                await send(message)

    def _fault(self, scope: Scope) -> str:
        if not self._switch.exists():
            return ""
        faults = WRITE_FAULTS if scope["method"] == "POST" else READ_FAULTS
        chance = self._random.uniform(0, 1000)
        for name, weight in faults.items():
            chance -= weight
            if chance < 0:
                return name
        return ""

    async def _refuse(self, status: int, send: Send) -> None:
        headers = [(b"content-type", b"text/plain")]
        if status in (429, 503):
            at = format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
            wait = self._random.choice(["1", at, ""])
            headers += [(b"retry-after", wait.encode())] if wait else []
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"no"})


async def _read(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            # The body never came whole, as no server would take it.
            raise ConnectionError
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


def _replay(body: bytes) -> Receive:
    parts: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return parts.pop() if parts else {"type": "http.disconnect"}

    return receive


async def _break_off(send: Send) -> None:
    """The connection breaks within the answer."""
    headers = [(b"content-length", b"1000")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{", "more_body": True})
    raise ConnectionError


def _without_conditions(scope: Scope, body: bytes) -> tuple[Scope, bytes]:
    """An EPR that knows no conditional create, as no vendor's does."""
    try:
        bundle: dict[str, Any] = json.loads(body)
    except ValueError:
        return scope, body
    for entry in bundle.get("entry", []):
        entry.get("request", {}).pop("ifNoneExist", None)
    changed = json.dumps(bundle).encode()
    headers = [
        (name, str(len(changed)).encode() if name == b"content-length" else value)
        for name, value in scope["headers"]
        if name != b"if-none-exist"
    ]
    return {**scope, "headers": headers}, changed


def _app(kind: str, storage: Path | None, origin: str) -> Any:
    if origin:
        from tests.faults.relay import Relay

        return Relay(origin)
    if kind == "epr":
        from fhir_gateway.sandbox.epr.app import create_app as create_epr

        return Remembering(create_epr(storage=storage))
    if kind == "phone":
        from fhir_gateway.sandbox.phone.app import create_app as create_phone

        return create_phone(storage=storage, per_minute=1_000_000)
    from fhir_gateway.sandbox.pds.app import create_app as create_pds

    return create_pds()


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["epr", "pds", "phone"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--storage", type=Path)
    parser.add_argument("--origin", default="", help="pass on to the server of this address")
    parser.add_argument("--faults", type=Path, required=True, help="file that switches faults on")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--slow", type=float, default=2.4, help="seconds that late answers take")
    given = parser.parse_args()
    app = Faulty(
        _app(given.kind, given.storage, given.origin),
        given.faults,
        given.seed,
        given.slow,
        forget=given.kind == "epr",
    )
    uvicorn.run(app, host="127.0.0.1", port=given.port, log_level="critical", access_log=False)


if __name__ == "__main__":
    main()
