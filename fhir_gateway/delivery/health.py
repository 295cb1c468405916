"""Health: the age of the oldest undelivered request of each service and its last synthetic request,
not the state of a process."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from fhir_gateway.delivery.timing import Timing
from fhir_gateway.store import gates, standing, workers
from fhir_gateway.store.database import Transaction

PASS, WARN, FAIL = "pass", "warn", "fail"


@dataclass(frozen=True, slots=True)
class ServiceHealth:
    """One service. Ages in seconds; None: there is none."""

    service: str
    status: str
    undelivered: int
    oldest_undelivered_seconds: int | None
    needs_attention: int
    last_synthetic: str | None
    last_synthetic_arrived: str | None


@dataclass(frozen=True, slots=True)
class Health:
    """`status`: pass; warn (a person should look); fail (requests wait, and are not worked on, or
    for longer than the alarm allows)."""

    status: str
    workers: int
    services: list[ServiceHealth]
    #: Neighbours that are left alone, and why.
    held: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return asdict(self)


def read(tx: Transaction, timing: Timing, *, now: datetime) -> Health:
    """The health as the tables tell it."""
    alive = workers.count(tx, now - timing.silence)
    services = [_service(tx, one, timing, now=now) for one in standing.by_service(tx)]
    held = {}
    for one in gates.every(tx):
        if one.paused_at is not None:
            held[one.name] = f"paused by {one.paused_by}"
        elif one.open_until is not None and one.open_until > now:
            held[one.name] = f"circuit open until {one.open_until.isoformat(timespec='seconds')}"
    waiting = any(service.undelivered for service in services)
    statuses = {service.status for service in services}
    if FAIL in statuses or (waiting and not alive):
        status = FAIL
    else:
        status = WARN if WARN in statuses or held or not alive else PASS
    return Health(status, alive, services, held)


def _service(
    tx: Transaction, one: standing.Standing, timing: Timing, *, now: datetime
) -> ServiceHealth:
    age = now - one.oldest if one.oldest else None
    synthetic = standing.last_synthetic(tx, one.service_slug)
    arrived = standing.last_delivered_synthetic(tx, one.service_slug)
    missed = (
        synthetic is not None
        and synthetic[0] != arrived
        and now - synthetic[0] >= timing.alarm_after
    )
    if (age is not None and age >= timing.alarm_after) or missed:
        status = FAIL
    else:
        status = WARN if one.needs_attention else PASS
    return ServiceHealth(
        one.service_slug,
        status,
        one.undelivered,
        int(age.total_seconds()) if age is not None else None,
        one.needs_attention,
        synthetic[0].isoformat() if synthetic else None,
        arrived.isoformat() if arrived else None,
    )
