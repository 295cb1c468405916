"""Secrets out of what is reported: tokens, cookies, keys and passwords, wherever they stand."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

from fhir_gateway.conformance.exchange import Answer, Exchange, Headers, Sent
from fhir_gateway.conformance.results import ScriptResult, Step, TestResult

MASK = "••••"
_HEADERS = frozenset(
    "authorization proxy-authorization cookie set-cookie apikey api-key x-api-key "
    "x-auth-token x-amz-security-token x-csrf-token".split()
)
_NAMES = (
    "access_token|refresh_token|id_token|client_secret|client_assertion|password|api_key|apikey"
)
_IN_JSON = re.compile(rf'("(?:{_NAMES})"\s*:\s*")[^"]*', re.I)
_IN_FORM = re.compile(rf"((?:^|[?&])(?:{_NAMES})=)[^&\s\"#]*", re.I | re.M)
_BEARER = re.compile(r"\b(Bearer|Basic)(\s+)[A-Za-z0-9._~+/=-]{6,}", re.I)
_SHORTEST = 4
_SHORTEST_TOKEN = 8


class Masker:
    """Masks by where secrets stand, and the `secrets` that are known wherever they stand."""

    def __init__(self, secrets: Collection[str] = ()) -> None:
        self._secrets = sorted((s for s in secrets if len(s) >= _SHORTEST), key=len, reverse=True)

    def _learn(self, sent: Sent) -> None:
        """A token that was fetched on the way is a secret too, should the server repeat it."""
        token = (sent.header("Authorization") or "").rpartition(" ")[2]
        if len(token) >= _SHORTEST_TOKEN and token not in self._secrets:
            self._secrets.append(token)

    def script(self, result: ScriptResult) -> ScriptResult:
        """A script's result without secrets."""
        return replace(
            result,
            setup=tuple(map(self.step, result.setup)),
            tests=tuple(map(self.test, result.tests)),
            teardown=tuple(map(self.step, result.teardown)),
            problem=self.text(result.problem),
        )

    def test(self, result: TestResult) -> TestResult:
        """A test's result without secrets."""
        steps = tuple(map(self.step, result.steps))
        return replace(result, message=self.text(result.message), steps=steps)

    def step(self, step: Step) -> Step:
        """A step without secrets."""
        exchange = step.exchange
        return replace(
            step,
            message=self.text(step.message),
            exchange=self.exchange(exchange) if exchange else None,
        )

    def exchange(self, exchange: Exchange) -> Exchange:
        """A request and its answer without secrets."""
        sent, answer = exchange.sent, exchange.answer
        self._learn(sent)
        return replace(
            exchange,
            problem=self.text(exchange.problem),
            sent=Sent(
                self.body(sent.body),
                sent.media_type,
                self.headers(sent.headers),
                sent.method,
                self.text(sent.url),
            ),
            answer=answer
            and Answer(
                self.body(answer.body),
                answer.media_type,
                self.headers(answer.headers),
                answer.status,
                self.text(answer.reason),
                answer.http_version,
            ),
        )

    def headers(self, headers: Headers) -> Headers:
        """Headers, those that carry credentials without their value."""
        return tuple(
            (name, MASK if name.lower() in _HEADERS else self.text(value))
            for name, value in headers
        )

    def text(self, text: str) -> str:
        """A text without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        text = _IN_JSON.sub(rf"\g<1>{MASK}", text)
        text = _IN_FORM.sub(rf"\g<1>{MASK}", text)
        return _BEARER.sub(rf"\g<1>\g<2>{MASK}", text)

    def body(self, body: bytes) -> bytes:
        """A body without secrets; what is no text stays as it is."""
        try:
            return self.text(body.decode()).encode()
        except UnicodeDecodeError:
            return body
