"""The settings of the FHIR API: a part of the gateway's (settings.py), which reads them."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field

from fhir_gateway.auth import scopes
from fhir_gateway.auth.issuers import ExternalIssuer
from fhir_gateway.fhir.identifiers import is_ods_code


class ApiLimits(BaseModel):
    """How often the API may be called in a minute, by all processes together."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    per_client: int = Field(default=600, ge=1)
    #: Of calls without a token, or with one that is not good, from one network address.
    per_address: int = Field(default=240, ge=1)
    #: Of tokens asked for from one network address.
    tokens_per_address: int = Field(default=60, ge=1)


class ApiSettings(BaseModel):
    """Who may call the FHIR API, and how often."""

    api_limits: ApiLimits = Field(
        ApiLimits(),
        description="Calls of the FHIR API in a minute: of one client, of one address without a "
        "token, and tokens asked for from one address; a table.",
    )
    external_issuers: tuple[ExternalIssuer, ...] = Field(
        (),
        description="Issuers outside of the gateway whose access tokens open the FHIR API "
        "(docs/access.md).",
    )
    key_set_hosts: tuple[str, ...] = Field(
        (),
        description="Hosts whose key sets may be at private addresses and without TLS. Default: "
        "none.",
    )


def api_problems(settings: ApiSettings) -> Iterator[tuple[str, str, bool]]:
    """What is wrong with them: setting, sentence, and whether it is serious."""
    for issuer in settings.external_issuers:
        codes = [*issuer.providers, *issuer.provider_map.values()]
        if not all(map(is_ods_code, codes)):
            yield ("external_issuers", f"{issuer.issuer}: a provider is no ODS code.", True)
        if not (issuer.providers or issuer.provider_claim or issuer.admin_scope):
            yield (
                "external_issuers",
                f"{issuer.issuer}: no token opens anything without providers or provider_claim.",
                True,
            )
        unknown = scopes.unknown(" ".join(issuer.scope_map.values()).split())
        if unknown:
            yield (
                "external_issuers",
                f"{issuer.issuer}: scope_map has no SMART system scope in {', '.join(unknown)}.",
                True,
            )
