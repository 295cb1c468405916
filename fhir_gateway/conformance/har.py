"""network.har: every request and answer of a run, as browsers' tools read it (HAR 1.2).

http://www.softwareishard.com/blog/har-12-spec/. Secrets are masked before, in masking.py.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from fhir_gateway import __version__
from fhir_gateway.conformance.exchange import Answer, Exchange, Headers, Sent
from fhir_gateway.conformance.results import Run, Step
from fhir_gateway.fhir import json as fhir_json


def document(run: Run) -> bytes:
    """The file of a run."""
    log = {
        "version": "1.2",
        "creator": {"name": "fhir-gateway conformance", "version": __version__},
        "entries": [_entry(comment, exchange) for comment, exchange in _exchanges(run)],
    }
    return fhir_json.dump({"log": log}, pretty=True)


def _exchanges(run: Run) -> Iterator[tuple[str, Exchange]]:
    for result in run.scripts:
        parts: list[tuple[str, tuple[Step, ...]]] = [(f"{result.script}: setup", result.setup)]
        parts += [(test.key, test.steps) for test in result.tests]
        parts.append((f"{result.script}: teardown", result.teardown))
        for comment, steps in parts:
            for step in steps:
                if step.exchange:
                    yield f"{comment}: {step.label}", step.exchange


def _entry(comment: str, exchange: Exchange) -> dict[str, Any]:
    milliseconds = round(exchange.seconds * 1000, 3)
    return {
        "startedDateTime": exchange.started.isoformat(timespec="milliseconds"),
        "time": milliseconds,
        "request": _request(exchange.sent, exchange.answer),
        "response": _response(exchange.answer, exchange.problem),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "comment": _clean(comment),
    }


def _request(sent: Sent, answer: Answer | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "method": sent.method,
        "url": sent.url,
        "httpVersion": answer.http_version if answer else "HTTP/1.1",
        "cookies": [],
        "headers": _headers(sent.headers),
        "queryString": [
            {"name": _clean(name), "value": _clean(value)}
            for name, value in parse_qsl(urlsplit(sent.url).query, keep_blank_values=True)
        ],
        "headersSize": -1,
        "bodySize": len(sent.body),
    }
    if sent.body:
        text, encoding = _body(sent.body)
        note = {"comment": "base64"} if encoding else {}
        found["postData"] = {"mimeType": sent.header("Content-Type") or "", "text": text, **note}
    return found


def _response(answer: Answer | None, problem: str) -> dict[str, Any]:
    shown = answer or Answer()
    text, encoding = _body(shown.body)
    content: dict[str, Any] = {"size": len(shown.body), "mimeType": _clean(shown.media_type)}
    if shown.body:
        content |= {"text": text, **({"encoding": encoding} if encoding else {})}
    return {
        "status": shown.status,
        "statusText": _clean(shown.reason),
        "httpVersion": shown.http_version,
        "cookies": [],
        "headers": _headers(shown.headers),
        "content": content,
        "redirectURL": _clean(shown.header("Location") or ""),
        "headersSize": -1,
        "bodySize": len(shown.body),
        **({"comment": _clean(problem)} if problem else {}),
    }


def _headers(headers: Headers) -> list[dict[str, str]]:
    return [{"name": _clean(name), "value": _clean(value)} for name, value in headers]


def _body(body: bytes) -> tuple[str, str]:
    try:
        return body.decode(), ""
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), "base64"


def _clean(text: str) -> str:
    """Without halves of surrogate pairs, which JSON cannot hold."""
    return text.encode("utf-8", "replace").decode()
