"""What the EPRs of services declare, held against how services are configured: at start, every
night, and by `fhir-gateway epr check`.

A problem is logged and changes nothing by itself: what an EPR refuses is refused when it is sent,
and a server that declares too little may still take it.
"""

from __future__ import annotations

import threading
from datetime import timedelta

import structlog

from fhir_gateway.delivery.parts import Parts
from fhir_gateway.epr import assessment, capability
from fhir_gateway.epr.assessment import Assessment
from fhir_gateway.errors import GatewayError
from fhir_gateway.provider.endpoint import Strategy
from fhir_gateway.provider.service import Service
from fhir_gateway.store import services

EVERY = timedelta(hours=24)
_log = structlog.get_logger("epr")


def assess_service(parts: Parts, service: Service) -> Assessment:
    """What the EPR of a service declares now, against its configuration. Raises Refused, TryLater
    when it cannot be asked."""
    types = [
        use.resource["resourceType"]
        for request_type in service.request_types
        if request_type.mapping in parts.targets
        for use in parts.targets[request_type.mapping].templates
    ]
    if service.epr.strategy is Strategy.FILE:
        nothing = capability.read({"fhirVersion": "4.0.1"})
        return assessment.assess(nothing, service.epr, types)
    statement = parts.eprs.at(service.epr_base, service.epr.format).metadata()
    return assessment.assess(capability.read(statement), service.epr, types)


def check_services(parts: Parts) -> int:
    """Check every service and log what does not fit; how many services do not."""
    with parts.database.transaction() as tx:
        found = [parts.service(tx, slug) for slug in services.slugs(tx)]
    wrong = 0
    for service in found:
        try:
            problems = assess_service(parts, service).problems
        except GatewayError as error:
            _log.warning("epr not checked", service=service.slug, code=error.code)
            continue
        wrong += bool(problems)
        if problems:
            _log.error("epr does not fit its configuration", service=service.slug, code="epr-check")
        else:
            _log.info("epr fits its configuration", service=service.slug)
    return wrong


class NightlyCheck:
    """Checks at start and once a day, in a thread of its own until `stop`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="epr-check", daemon=True)

    def start(self) -> None:
        """Start checking."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; a check that is under way ends by itself."""
        self._stopping.set()
        self._thread.join(timeout=1)

    def _run(self) -> None:
        while True:
            try:
                check_services(self._parts)
            except Exception as error:
                _log.error("epr check failed", error=type(error).__name__)
            if self._stopping.wait(EVERY.total_seconds()):
                return
