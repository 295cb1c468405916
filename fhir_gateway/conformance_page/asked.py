"""What a tester asks for in the form, checked before anything is called."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from fhir_gateway.conformance.runs import FORMATS
from fhir_gateway.errors import Refused

_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A run to start. `token`: a bearer token for the target, kept nowhere."""

    suite: str
    target: str
    format: str
    only: tuple[str, ...]
    variables: Mapping[str, str]
    token: str = field(default="", repr=False)


def read(form: Mapping[str, str], suites: Collection[str], allowed: Collection[str]) -> Asked:
    """What a form asks for. Raises Refused, with a sentence for the tester."""
    values = {name: form.get(name, "").strip()[:_MAX] for name in _NAMES}
    if values["suite"] not in suites:
        raise Refused("Choose a suite.", code="suite")
    if values["format"] not in FORMATS:
        raise Refused("Choose JSON or XML.", code="format")
    if not values["token"].isascii() or not values["token"].isprintable():
        raise Refused("The token has characters that no token has.", code="token")
    return Asked(
        values["suite"],
        target(values["target"], allowed),
        values["format"],
        tuple(values["only"].split()),
        _variables(values["variables"]),
        values["token"],
    )


_NAMES = ("suite", "target", "format", "only", "variables", "token")


def target(text: str, allowed: Collection[str]) -> str:
    """The base of a server that may be tested. Raises Refused."""
    try:
        split = urlsplit(text)
        port = split.port
    except ValueError:
        split, port = urlsplit(""), None
    plain = not (split.username or split.query or split.fragment) and text.isprintable()
    if split.scheme not in ("http", "https") or not split.hostname or not plain or " " in text:
        raise Refused("Enter the http or https address of a FHIR server.", code="target")
    host = split.hostname.lower()
    names = {host} if port is None else {f"{host}:{port}"}
    if port == {"http": 80, "https": 443}[split.scheme]:
        names.add(host)
    if not names & {one.lower() for one in allowed}:
        raise Refused(
            "This server may not be tested from here. Ask an operator to add it to "
            "conformance_targets.",
            code="target",
        )
    return text.rstrip("/")


def _variables(text: str) -> dict[str, str]:
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, separator, value = line.partition("=")
        if not separator or not name.strip():
            raise Refused("Write each variable on a line of its own: name=value.", code="variables")
        found[name.strip()] = value.strip()
    return found
