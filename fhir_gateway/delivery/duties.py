"""What one of all delivering processes does now and then, in one value, as settings have it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog
from pydantic import SecretStr

from fhir_gateway.delivery import alarms, fallback, synthetic
from fhir_gateway.delivery.channels import Channel, Mail, Webhook
from fhir_gateway.delivery.engine import Engine
from fhir_gateway.delivery.fallback import Fallback, own_signing_key
from fhir_gateway.delivery.parts import Parts
from fhir_gateway.delivery.settings import DeliverySettings

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


def of(settings: DeliverySettings, data_dir: Path) -> Duties:
    """The duties by the settings. Raises Refused for a mail server that cannot be one."""
    channels: list[Channel] = []
    if settings.alarm_webhook:
        channels.append(Webhook(settings.alarm_webhook, _secret(settings.alarm_webhook_secret)))
    if settings.alarm_email:
        channels.append(_mail(settings, settings.alarm_email))
    rescue = None
    if settings.fallback_dir or settings.fallback_email:
        key = own_signing_key(settings.fallback_key or data_dir / "fallback-key.pem")
        mail = _mail(settings, settings.fallback_email) if settings.fallback_email else None
        rescue = Fallback(settings.fallback_dir, mail, key)
    return Duties(
        channels,
        rescue,
        settings.synthetic_dir,
        timedelta(minutes=settings.synthetic_minutes),
    )


def _mail(settings: DeliverySettings, recipients: tuple[str, ...]) -> Mail:
    return Mail(_secret(settings.smtp_url) or "", settings.smtp_from, recipients)


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value else None
