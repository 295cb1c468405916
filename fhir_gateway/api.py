"""Composition of the FHIR API: who may enter, what is recorded, and what is served."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.types import ASGIApp

from fhir_gateway.auth.assertions_checked import ALGORITHMS
from fhir_gateway.auth.issuers import Issuers
from fhir_gateway.auth.key_sets import KeySets
from fhir_gateway.rest import smart, writes
from fhir_gateway.rest.app import BASE, create_fhir_app
from fhir_gateway.rest.auditor import Auditor
from fhir_gateway.rest.desk import Desk
from fhir_gateway.rest.gatekeeper import Gatekeeper
from fhir_gateway.rest.token import TokenDesk

if TYPE_CHECKING:
    from fhir_gateway.app import Gateway


def create_api(gateway: Gateway) -> ASGIApp:
    """The API of a gateway, with its token endpoint."""
    settings, database, clock = gateway.settings, gateway.database, gateway.parts.clock
    observer = gateway.site.base_url
    base_url = f"{observer}{BASE}"
    gate = Gatekeeper(
        database,
        Issuers(settings.external_issuers, settings.key_set_hosts),
        settings.api_limits,
        observer=observer,
        clock=clock,
    )
    tokens = TokenDesk(
        database,
        KeySets(ALGORITHMS, settings.key_set_hosts),
        settings.api_limits,
        token_url=f"{base_url}{smart.TOKEN_PATH}",
        observer=observer,
        clock=clock,
    )
    auditor = Auditor(database, gate, base_url=base_url, observer=observer, clock=clock)
    desk = Desk(gateway.parts, gateway.engine, observer, auditor.keep, settings.subscription_hosts)
    return create_fhir_app(
        gateway.parts.catalogue,
        database,
        base_url=base_url,
        clock=clock,
        authenticate=gate.authenticate,
        admit=gate.admit,
        observers=(auditor,),
        security=smart.security(base_url),
        register=lambda registry: writes.register(
            registry, desk, expander=gateway.terminology, observers=(auditor,)
        ),
        routes=(smart.route(BASE, base_url), tokens.route(f"{BASE}{smart.TOKEN_PATH}")),
    )


def create_discovery(gateway: Gateway) -> ASGIApp:
    """The discovery document at the root of the host."""
    return Starlette(routes=[smart.route("", f"{gateway.site.base_url}{BASE}")])
