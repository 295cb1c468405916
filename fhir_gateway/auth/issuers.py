"""Tokens of an issuer outside of the gateway, such as the trust's own authorization server: checked
by its key set, and its words turned into ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from fhir_gateway.auth import claims as claim
from fhir_gateway.auth import scopes as scope_words
from fhir_gateway.auth import signed
from fhir_gateway.auth.key_sets import KeySets, fetch
from fhir_gateway.auth.scopes import Scopes
from fhir_gateway.auth.signed import BadToken
from fhir_gateway.errors import Refused
from fhir_gateway.fhir import json as strict_json
from fhir_gateway.fhir.identifiers import is_ods_code

ALGORITHMS = ("ES256", "ES384", "RS256", "RS384")
#: Types of token (RFC 9068); an ID token, a logout token or an assertion is none.
_TYPES = ("jwt", "at+jwt")
_CLIENT_CLAIMS = ("client_id", "azp", "appid", "sub")


class ExternalIssuer(BaseModel):
    """An issuer whose access tokens are taken. docs/access.md says how to set one up.

    `scope_map`: what its scopes mean, in scopes of SMART (`{"pifu.read": "system/*.rs"}`); without
    a map its scopes must be of SMART themselves. `provider_claim`: the claim with the ODS codes (a
    text or a list) whose data a token opens; `provider_map`: ODS codes for its values. `providers`:
    ODS codes for every token, instead of a claim.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field(pattern=r"^https?://[^\s#]+$")
    audience: str = Field(min_length=1)
    jwks_url: str = ""
    scope_claim: str = "scope"
    scope_map: dict[str, str] = Field(default_factory=dict)
    provider_claim: str = ""
    provider_map: dict[str, str] = Field(default_factory=dict)
    providers: tuple[str, ...] = ()
    admin_scope: str = ""


@dataclass(frozen=True, slots=True)
class Granted:
    """What a token of an issuer opens. `admin`: everything of every provider."""

    client_id: str
    providers: frozenset[str]
    scopes: Scopes
    admin: bool


class Issuers:
    """The issuers of a gateway. Safe between threads. `key_sets`: for ALGORITHMS."""

    def __init__(self, given: Sequence[ExternalIssuer], allowed: Sequence[str] = ()) -> None:
        self._given = {one.issuer: one for one in given}
        self._allowed = allowed
        self._key_sets = KeySets(ALGORITHMS, allowed)
        self._discovered: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._given)

    def check(self, token: str, *, now: datetime) -> Granted:
        """What a token opens. Raises BadToken; TryLater when its issuer's keys cannot be had."""
        unverified = signed.read(token, ALGORITHMS, _TYPES)
        issuer = self._given.get(str(unverified.claims.get("iss")))
        if issuer is None:
            raise BadToken("Its issuer (iss) is not one that is taken here.")
        try:
            keys = self._key_sets.keys(self._address(issuer), unverified.kid)
        except Refused as error:
            raise BadToken(f"The key set of its issuer cannot be used. {error}") from None
        signed.verify(unverified, keys)
        claim.check_audience(unverified.claims, issuer.audience)
        claim.check_times(unverified.claims, now=now)
        return granted(issuer, unverified.claims)

    def _address(self, issuer: ExternalIssuer) -> str:
        """Where its key set is: as configured, or as its discovery document says."""
        found = issuer.jwks_url or self._discovered.get(issuer.issuer)
        if found:
            return found
        url = f"{issuer.issuer.rstrip('/')}/.well-known/openid-configuration"
        content = fetch(url, self._allowed)
        try:
            document = strict_json.parse(content, max_depth=20)
        except strict_json.JsonRefused:
            document = None
        address = document.get("jwks_uri") if isinstance(document, dict) else None
        if not isinstance(address, str) or document.get("issuer") != issuer.issuer:
            raise Refused("Its discovery document names another issuer, or no key set.", code="key")
        self._discovered[issuer.issuer] = address
        return address


def granted(issuer: ExternalIssuer, claims: Mapping[str, Any]) -> Granted:
    """What the claims of a token that was checked open. Raises BadToken when that is nothing."""
    client_id = next(
        (found for name in _CLIENT_CLAIMS if isinstance(found := claims.get(name), str) and found),
        "",
    )
    if not client_id:
        raise BadToken("It does not say for which client it is (client_id, azp, appid or sub).")
    words = _words(claims.get(issuer.scope_claim))
    meant = [issuer.scope_map.get(w, "") for w in words] if issuer.scope_map else words
    scopes = scope_words.parse(" ".join(meant))
    admin = bool(issuer.admin_scope) and issuer.admin_scope in words
    providers = frozenset(issuer.providers)
    if issuer.provider_claim:
        values = _words(claims.get(issuer.provider_claim))
        codes = [issuer.provider_map.get(v, "" if issuer.provider_map else v) for v in values]
        providers = frozenset(code for code in codes if is_ods_code(code))
    if not providers and not admin:
        raise BadToken("It names no provider whose data it opens.")
    return Granted(f"{issuer.issuer}#{client_id}"[:200], providers, scopes, admin)


def _words(value: Any) -> list[str]:
    """A claim that is a text with spaces, or a list of texts."""
    if isinstance(value, str):
        return value.split()
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []
