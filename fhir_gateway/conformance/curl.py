"""A request as a curl command that a tester can paste; credentials as `$TOKEN`."""

from __future__ import annotations

import shlex

from fhir_gateway.conformance.exchange import Sent
from fhir_gateway.conformance.masking import MASK

_LEFT_OUT = frozenset("host content-length accept-encoding connection user-agent".split())


def command(sent: Sent) -> str:
    """The command; a body that is no text is to be put into a file by the reader."""
    parts = ["curl", "--include", "--request", sent.method]
    if sent.method == "HEAD":
        parts = ["curl", "--head"]
    words = [shlex.join(parts)]
    for name, value in sent.headers:
        if name.lower() not in _LEFT_OUT:
            words.append(f"--header {_header(name, value)}")
    if sent.body:
        words.append(_data(sent.body))
    words.append(shlex.quote(sent.url))
    return " \\\n  ".join(words)


def _header(name: str, value: str) -> str:
    if MASK not in value:
        return shlex.quote(f"{name}: {value}")
    scheme = "Bearer " if name.lower() == "authorization" else ""
    return f'"{name}: {scheme}$TOKEN"'


def _data(body: bytes) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return "--data-binary @BODY"
    return "--data-binary @BODY" if "\0" in text else f"--data-raw {shlex.quote(text)}"
