"""Credentials for EPRs, as an operator configures them: each for one base, and for nothing else."""

from __future__ import annotations

import ssl
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from fhir_gateway.auth.bearer import FixedBearer
from fhir_gateway.auth.epr_tokens import EprBearer
from fhir_gateway.auth.keys import KeyRing
from fhir_gateway.errors import Defect, Refused

_NEEDED = {
    "smart": ("client_id", "key"),
    "client-secret": ("client_id", "client_secret", "token_url"),
    "bearer": ("token",),
    "none": (),
}


class EprCredentials(BaseModel):
    """Credentials for the EPR whose FHIR server is at `base_url`, and for what is below it.

    `method`: smart (a JWT signed by the key `key`, a kid among signing_keys), client-secret,
    bearer, none. `certificate`, `certificate_key`: for mutual TLS, with any method. `authority`: a
    PEM file of the certificates by which the EPR is known, for one with its own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    base_url: str = Field(pattern=r"^https?://[^\s?#@]+$")
    method: Literal["smart", "client-secret", "bearer", "none"]
    client_id: str = ""
    client_secret: SecretStr | None = None
    token: SecretStr | None = None
    token_url: str = Field("", pattern=r"^(https?://[^\s#@]+)?$")
    scope: str = ""
    key: str = ""
    certificate: Path | None = None
    certificate_key: Path | None = None
    authority: Path | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        missing = [name for name in _NEEDED[self.method] if not getattr(self, name)]
        if missing:
            raise ValueError(f"method '{self.method}' also needs {', '.join(missing)}")
        return self


def credential_problems(
    given: Sequence[EprCredentials], kids: Sequence[str], *, pds: bool
) -> Iterator[tuple[str, str, bool]]:
    """What is wrong with credentials: setting, sentence, and whether it is serious. `kids`: of the
    signing keys, the one that signs first. `pds`: whether it signs for PDS."""
    for one in given:
        if one.method == "smart" and one.key not in kids:
            yield (
                "epr_credentials",
                f"There is no signing key '{one.key}' for {one.base_url}.",
                True,
            )
        for file in (one.certificate, one.certificate_key, one.authority):
            if file is not None and not file.is_file():
                yield "epr_credentials", f"{file} for {one.base_url} is not there.", True
    if pds and kids and kids[0] in {one.key for one in given}:
        text = "PDS wants keys of RS512, EPRs of RS384: the first of signing_keys is used for both."
        yield "epr_credentials", text, False


class CredentialBook:
    """All credentials of a gateway. `fallback_token`: for EPRs without credentials of their own."""

    def __init__(
        self,
        given: Sequence[EprCredentials],
        keys: KeyRing | None = None,
        fallback_token: SecretStr | None = None,
    ) -> None:
        self._given = sorted(given, key=lambda one: len(one.base_url), reverse=True)
        self._keys = keys
        self._fallback = fallback_token

    def of(self, base_url: str) -> EprCredentials | None:
        """The credentials for a base: those with the longest base that it is or is below."""
        wanted = f"{base_url.rstrip('/')}/"
        return next(
            (one for one in self._given if wanted.startswith(f"{one.base_url.rstrip('/')}/")), None
        )

    def auth(self, base_url: str) -> httpx.Auth | None:
        """What adds credentials to requests to this base. Raises Refused for an unusable key."""
        one = self.of(base_url)
        if one is None:
            token = self._fallback
            return Bounded(base_url, FixedBearer(token.get_secret_value())) if token else None
        if one.method == "none":
            return None
        if one.method == "bearer":
            assert one.token is not None
            return Bounded(base_url, FixedBearer(one.token.get_secret_value()))
        return Bounded(base_url, EprBearer(one, self._keys, self.verify(base_url)))

    def verify(self, base_url: str) -> ssl.SSLContext | bool:
        """True, or an SSL context with the client certificate. Raises Refused."""
        one = self.of(base_url)
        if one is None or not (one.certificate or one.authority):
            return True
        try:
            context = ssl.create_default_context(cafile=one.authority)
            if one.certificate:
                context.load_cert_chain(one.certificate, one.certificate_key)
        except (OSError, ssl.SSLError) as error:
            raise Refused(
                f"The certificate for {one.base_url} cannot be used ({type(error).__name__}).",
                code="certificate",
            ) from None
        return context


class Bounded(httpx.Auth):
    """Credentials that are added to requests below `base_url`, and to no others."""

    def __init__(self, base_url: str, inner: httpx.Auth) -> None:
        self._base = urlsplit(base_url)
        self._inner = inner

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Add them. Raises Defect for another host: a mistake that must not leave."""
        there = urlsplit(str(request.url))
        same = (there.scheme, there.netloc) == (self._base.scheme, self._base.netloc)
        if not same or not f"{there.path}/".startswith(f"{self._base.path.rstrip('/')}/"):
            raise Defect("Credentials were about to be sent to another host.", code="token-host")
        yield from self._inner.sync_auth_flow(request)

    def close(self) -> None:
        """Close what the credentials keep open."""
        if isinstance(self._inner, EprBearer):
            self._inner.close()
