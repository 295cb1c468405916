"""The clients of all EPRs that services deliver to."""

from __future__ import annotations

import threading

import httpx

from fhir_gateway.epr.adapter import EprAdapter
from fhir_gateway.epr.client import EprClient
from fhir_gateway.epr.transaction import TransactionAdapter
from fhir_gateway.provider.endpoint import RepeatMode
from fhir_gateway.provider.service import Service


class EprClients:
    """One client for each EPR, made when it is first needed."""

    def __init__(self, auth: httpx.Auth | None, *, seconds: float = 20.0) -> None:
        """`seconds`: how long an EPR may take to answer."""
        self._auth = auth
        self._timeout = httpx.Timeout(seconds, connect=min(seconds, 5.0))
        self._clients: dict[str, EprClient] = {}
        self._lock = threading.Lock()

    def at(self, base_url: str) -> EprClient:
        """The client of the EPR whose FHIR server has this base."""
        with self._lock:
            if base_url not in self._clients:
                self._clients[base_url] = EprClient(
                    base_url, auth=self._auth, timeout=self._timeout
                )
            return self._clients[base_url]

    def adapter(self, service: Service) -> EprAdapter:
        """The way into the EPR of a service, as its configuration says.

        Raises Refused when the configuration cannot be used.
        """
        return TransactionAdapter(self.at(service.epr_base), RepeatMode.INTENT_SEARCH)

    def close(self) -> None:
        """Close the connections to all of them."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()
