"""What one of all delivering processes does now and then, in one value, as settings have it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog

from fhir_gateway.delivery import alarms, fallback, synthetic
from fhir_gateway.delivery.channels import Channel
from fhir_gateway.delivery.engine import Engine
from fhir_gateway.delivery.fallback import Fallback
from fhir_gateway.delivery.parts import Parts

_log = structlog.get_logger("delivery")


@dataclass(frozen=True, slots=True)
class Duties:
    """`channels`: how people are told. `rescue`: the second way (None: there is none).
    `synthetic_folder`: what is sent to prove that it works, and how often (None: nothing)."""

    channels: Sequence[Channel] = ()
    rescue: Fallback | None = None
    synthetic_folder: Path | None = None
    synthetic_every: timedelta = timedelta(hours=1)

    def do(self, parts: Parts, engine: Engine) -> None:
        """All of them, whatever happens to one."""
        for name, duty in self._all(parts, engine):
            try:
                duty()
            except Exception as error:
                _log.error(
                    "duty failed",
                    step=name,
                    error=type(error).__name__,
                    code=getattr(error, "code", ""),
                )

    def _all(self, parts: Parts, engine: Engine) -> list[tuple[str, Callable[[], object]]]:
        found: list[tuple[str, Callable[[], object]]] = [
            ("alarms", lambda: alarms.review(parts)),
            ("telling", lambda: alarms.tell(parts, self.channels)),
        ]
        rescue, folder = self.rescue, self.synthetic_folder
        if rescue is not None:
            found.append(("fallback", lambda: fallback.rescue(parts, rescue)))
            found.append(("fallback end", lambda: fallback.mark_delivered(parts, rescue)))
        if folder is not None:
            found.append(
                (
                    "synthetic",
                    lambda: synthetic.send_due(parts, engine, folder, self.synthetic_every),
                )
            )
        return found
