"""The ways into all EPRs that services deliver to."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Protocol

import httpx

from fhir_gateway.epr.adapter import EprAdapter
from fhir_gateway.epr.client import EprClient
from fhir_gateway.epr.creates import CreatesAdapter
from fhir_gateway.epr.file import FileAdapter, Signer
from fhir_gateway.epr.message import MessageAdapter
from fhir_gateway.epr.progress import MemoryProgress, Progress
from fhir_gateway.epr.transaction import TransactionAdapter
from fhir_gateway.errors import Refused, TryLater
from fhir_gateway.provider.endpoint import EprEndpoint, Strategy, WireFormat
from fhir_gateway.provider.service import Service

#: Seconds until credentials that cannot be used are looked at again: a person must mend them.
_CREDENTIALS_PAUSE = 60.0
#: The types that a strategy is restricted to.
ONLY: Mapping[Strategy, frozenset[str]] = {
    Strategy.COMMUNICATION: frozenset({"Patient", "Communication"}),
    Strategy.DOCUMENT: frozenset({"Patient", "DocumentReference"}),
}


class Credentials(Protocol):
    """Credentials by the base of an EPR's FHIR server, as an operator configured them."""

    def auth(self, base_url: str) -> httpx.Auth | None:
        """What adds credentials to requests; None for none."""

    def verify(self, base_url: str) -> Any:
        """What httpx verifies servers by: True, or an SSL context with a client certificate."""


class EprClients:
    """One client for each EPR, made when it is first needed.

    `progress`: where what arrived in part is kept; None keeps it in memory, which is for tests.
    """

    def __init__(
        self,
        credentials: Credentials | None = None,
        progress: Progress | None = None,
        signer: Signer | None = None,
        *,
        seconds: float = 20.0,
    ) -> None:
        """`seconds`: how long an EPR may take to answer."""
        self._seconds = seconds
        self._credentials = credentials
        self._progress = progress or MemoryProgress()
        self._signer = signer
        self._clients: dict[tuple[str, WireFormat], EprClient] = {}
        self._lock = threading.Lock()

    def at(self, base_url: str, format: WireFormat = WireFormat.AUTO) -> EprClient:
        """The client of the EPR whose FHIR server has this base. Raises TryLater while the
        credentials that are configured for it cannot be used."""
        with self._lock:
            key = (base_url, format)
            if key not in self._clients:
                auth, verify = self._given(base_url)
                self._clients[key] = EprClient(
                    base_url,
                    auth=auth,
                    verify=verify,
                    format=format,
                    seconds=self._seconds,
                )
            return self._clients[key]

    def _given(self, base_url: str) -> tuple[httpx.Auth | None, Any]:
        """The credentials for an EPR, and what it is verified by. A key or certificate that is not
        there is no fault of a request: it waits, as for credentials that the EPR refuses."""
        if self._credentials is None:
            return None, True
        try:
            return self._credentials.auth(base_url), self._credentials.verify(base_url)
        except Refused as error:
            raise TryLater(str(error), code=error.code, after=_CREDENTIALS_PAUSE) from None

    def adapter(self, service: Service) -> EprAdapter:
        """The way into the EPR of a service, as its configuration says.

        Raises Refused when the configuration cannot be used, TryLater when its credentials cannot.
        """
        return self.adapter_for(service.epr)

    def adapter_for(self, endpoint: EprEndpoint) -> EprAdapter:
        """The way into an EPR by its configuration. Raises Refused, TryLater, as `adapter`."""
        if endpoint.strategy is Strategy.FILE:
            return FileAdapter(endpoint.address, self._signer)
        client = self.at(endpoint.address, endpoint.format)
        match endpoint.strategy:
            case Strategy.TRANSACTION:
                return TransactionAdapter(client, endpoint, self._progress)
            case Strategy.MESSAGE:
                return MessageAdapter(client, endpoint)
            case _:
                only = ONLY.get(endpoint.strategy)
                return CreatesAdapter(client, endpoint, self._progress, only)

    def close(self) -> None:
        """Close the connections to all of them."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()
