"""How a run identifies itself to its target: a JSON file of the tester.

The only file here that knows `auth/`: the SMART client there is used, not written again.
"""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pydantic import ValidationError

from fhir_gateway.auth.credentials import CredentialBook, EprCredentials
from fhir_gateway.auth.keys import KeyRing, read_key_ring
from fhir_gateway.errors import Refused
from fhir_gateway.fhir import json as fhir_json

_ENV = "env:"
_PATHS = ("key_file", "certificate", "certificate_key", "authority")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What goes into a Caller; `hidden`: values that no report may show."""

    auth: httpx.Auth | None = None
    verify: ssl.SSLContext | bool = True
    hidden: tuple[str, ...] = ()


class _Header(httpx.Auth):
    """A fixed header, such as an API key."""

    def __init__(self, name: str, value: str) -> None:
        self._name, self._value = name, value

    def auth_flow(self, request: httpx.Request) -> Any:
        """Add the header."""
        request.headers[self._name] = self._value
        yield request


def read(file: Path, base: str) -> Credentials:
    """The credentials in a file, for the target `base`. Raises Refused, never with a secret.

    `method`: none, bearer (`token`), header (`name`, `value`), client-secret (`client_id`,
    `client_secret`, `token_url`), smart (`client_id`, `key_file`; `token_url` and `scope` are asked
    of the target when they are missing). With any: `certificate`, `certificate_key`, `authority`.
    A value `env:NAME` is taken from the environment; paths are relative to the file.
    """
    given = _values(file)
    if given.get("method") == "header":
        return _of_header(file, given)
    ring: KeyRing | None = None
    key_file = given.pop("key_file", None)
    if key_file:
        ring = read_key_ring([Path(key_file)])
        given.setdefault("key", ring.signing.kid)
    try:
        credentials = EprCredentials.model_validate({**given, "base_url": base})
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg']}".lstrip(": ")
            for e in error.errors(include_input=False, include_url=False)
        )
        raise Refused(f"{file}: {wrong}", code="auth-file") from None
    book = CredentialBook([credentials], ring)
    hidden = (credentials.token, credentials.client_secret)
    return Credentials(
        book.auth(base), book.verify(base), tuple(s.get_secret_value() for s in hidden if s)
    )


def verification(
    authority: Path | None, certificate: Path | None, key: Path | None, *, insecure: bool
) -> ssl.SSLContext | bool:
    """How a server's certificate is checked and which is shown to it. Raises Refused."""
    if insecure:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif authority or certificate:
        try:
            context = ssl.create_default_context(cafile=authority)
        except (OSError, ssl.SSLError) as error:
            raise Refused(f"{authority} cannot be used ({error})", code="certificate") from None
    else:
        return True
    if certificate:
        try:
            context.load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as error:
            raise Refused(f"{certificate} cannot be used ({error})", code="certificate") from None
    return context


def _of_header(file: Path, given: dict[str, Any]) -> Credentials:
    name, value = str(given.get("name", "")), str(given.get("value", ""))
    sendable = value.isascii() and value.isprintable() and value.strip() == value
    if not name.replace("-", "").isalnum() or not name.isascii() or not value or not sendable:
        raise Refused(f"{file}: method 'header' needs name and value", code="auth-file")
    return Credentials(_Header(name, value), True, (value,))


def _values(file: Path) -> dict[str, Any]:
    try:
        given = fhir_json.parse(file.read_bytes())
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror}", code="auth-file") from None
    except fhir_json.JsonRefused as error:
        raise Refused(f"{file}: {error}", code="auth-file") from None
    if not isinstance(given, dict):
        raise Refused(f"{file} is not a JSON object.", code="auth-file")
    found = {}
    for name, value in given.items():
        if isinstance(value, str) and value.startswith(_ENV):
            variable = value.removeprefix(_ENV)
            if variable not in os.environ:
                raise Refused(f"{file}: {variable} is not set", code="auth-file")
            value = os.environ[variable]
        if name in _PATHS and isinstance(value, str):
            value = str(file.parent / value)
        found[name] = value
    return found
