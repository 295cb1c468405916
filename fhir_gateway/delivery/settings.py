"""The settings of delivery: a part of the gateway's (settings.py), which are read there alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, SecretStr, TypeAdapter, field_validator

from fhir_gateway.delivery import timing as times
from fhir_gateway.delivery.channels import Mail
from fhir_gateway.delivery.gate import Limits, name_of_epr
from fhir_gateway.delivery.parts import TEXT_LIMITS
from fhir_gateway.delivery.pds_gate import PER_SECOND
from fhir_gateway.delivery.timing import Timing
from fhir_gateway.errors import Refused


class DeliverySettings(BaseModel):
    """How requests are delivered, who is told when they are not, and the second way."""

    timing: Timing = Field(
        Timing(),
        description="Times of delivery, a table of seconds or ISO 8601 durations; see "
        "docs/operate.md.",
    )
    pds_per_second: float = Field(
        PER_SECOND,
        gt=0,
        le=1000,
        description="Calls to PDS in a second, of all processes together. PDS allows an "
        "application 5, and more to those who ask for it.",
    )
    epr_limits: Limits = Field(
        Limits(), description="What one EPR is asked at most, and when it is left alone; a table."
    )
    epr_limits_by_base: dict[str, dict[str, float | timedelta]] = Field(
        {},
        description="Limits of single EPRs, tables by the base of their FHIR server as it is in "
        "the Endpoint; what they leave out is as in epr_limits.",
    )
    text_limits: Limits = Field(TEXT_LIMITS, description="The same for the text provider.")
    alarm_webhook: str | None = Field(
        None, description="Address that alarms are posted to, as JSON."
    )
    alarm_webhook_secret: SecretStr | None = Field(
        None, description="Key of the HMAC-SHA256 that signs what is posted there."
    )
    alarm_email: tuple[str, ...] = Field((), description="Addresses that alarms are mailed to.")
    smtp_url: SecretStr | None = Field(
        None,
        description="Mail server, such as smtps://user:password@host or smtp://host:587 (STARTTLS "
        "where it is offered, and always before a password).",
    )
    smtp_from: str = Field("", description="Sender of mails.")
    fallback_dir: Path | None = Field(
        None,
        description="Folder in which requests that an EPR has not taken for long are laid down, "
        "signed, one folder a service.",
    )
    fallback_email: tuple[str, ...] = Field(
        (),
        description="Addresses to which such requests are mailed as well. They hold patient data: "
        "secure mail such as NHSmail only.",
    )
    fallback_key: Path | None = Field(
        None,
        description="PEM file with the EC P-256 private key that signs them. Default: a key made "
        "when it is first needed, in data_dir/fallback-key.pem.",
    )
    synthetic_dir: Path | None = Field(
        None,
        description="Folder of completed QuestionnaireResponses about invented patients, "
        "SERVICE.json each, that are sent all the way to prove it works.",
    )
    synthetic_minutes: int = Field(60, ge=1, description="How often each of these is sent.")
    ops_token: SecretStr | None = Field(
        None,
        description="Bearer token for /metrics and /health. Without one, only this machine itself "
        "gets an answer there.",
    )

    @field_validator("epr_limits_by_base")
    @classmethod
    def _are_limits(cls, given: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for changes in given.values():
            _LIMITS.validate_python(changes)
        return given


_LIMITS: TypeAdapter[Limits] = TypeAdapter(Limits)


def limits_by_epr(settings: DeliverySettings) -> dict[str, Limits]:
    """The limits of EPRs that have their own, by the neighbour's name."""
    general = {f.name: getattr(settings.epr_limits, f.name) for f in fields(Limits)}
    return {
        name_of_epr(base.rstrip("/")): _LIMITS.validate_python({**general, **changes})
        for base, changes in settings.epr_limits_by_base.items()
    }


def delivery_problems(settings: DeliverySettings) -> Iterator[tuple[str, str, bool]]:
    """What is wrong with them: setting, sentence, and whether it is serious."""
    for name, text in times.problems(settings.timing):
        yield (f"timing.{name}", text, True)
    if not settings.alarm_webhook and not settings.alarm_email:
        yield ("alarm_webhook", "Nobody is told when an EPR takes nothing; logs alone are.", False)
    if settings.fallback_dir is None and not settings.fallback_email:
        yield ("fallback_dir", "There is no second way for what an EPR does not take.", False)
    if (settings.alarm_email or settings.fallback_email) and (
        settings.smtp_url is None or not settings.smtp_from
    ):
        yield ("smtp_url", "Mails need smtp_url and smtp_from.", True)
    elif settings.smtp_url is not None:
        try:
            Mail(settings.smtp_url.get_secret_value(), settings.smtp_from, ())
        except Refused as error:
            yield ("smtp_url", str(error), True)
