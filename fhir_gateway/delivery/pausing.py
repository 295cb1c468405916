"""What a person decides about a neighbour: send nothing there, or go on; who it was is recorded."""

from __future__ import annotations

from fhir_gateway.audit import operators
from fhir_gateway.delivery.parts import Parts
from fhir_gateway.store import gates


def pause(parts: Parts, neighbour: str, *, who: str, why: str) -> None:
    """Send nothing to a neighbour until `resume`. `who`, `why`: shown to others, and recorded."""
    now = parts.clock()
    with parts.database.transaction() as tx:
        gates.pause(tx, neighbour, f"{who}: {why}", now=now)
        operators.of_neighbour(
            tx, "pause", neighbour, who=who, why=why, observer=parts.gateway_name, now=now
        )


def resume(parts: Parts, neighbour: str, *, who: str) -> bool:
    """Go on; False when there was nothing to resume, which is not recorded."""
    now = parts.clock()
    with parts.database.transaction() as tx:
        stopped = gates.resume(tx, neighbour, now=now)
        if stopped:
            operators.of_neighbour(
                tx, "resume", neighbour, who=who, why="", observer=parts.gateway_name, now=now
            )
    return stopped
