"""Alarms: a person is told when requests of a service are not delivered in time, when some need a
person, when some go on without a trace, when a synthetic request did not arrive, and when something
is paused; and when it is over.

One alarm a service and kind, not one a request: an EPR that is away for an hour must not send a
thousand mails.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import structlog

from fhir_gateway.delivery.channels import Channel, News, tell_all
from fhir_gateway.delivery.parts import Parts
from fhir_gateway.matching.outcome import Outcome
from fhir_gateway.store import alarms, gates, standing
from fhir_gateway.store.alarms import Alarm
from fhir_gateway.store.database import Transaction

UNDELIVERED = "undelivered"
NEEDS_ATTENTION = "needs-attention"
SYNTHETIC = "synthetic"
PAUSED = "paused"
UNTRACED = "untraced"
_TITLES = {
    UNDELIVERED: "Requests are not delivered",
    NEEDS_ATTENTION: "Requests need a person",
    SYNTHETIC: "A synthetic request did not arrive",
    PAUSED: "Sending is paused",
    UNTRACED: "PDS cannot be asked",
}
_ADVICE = {
    UNDELIVERED: "See `fhir-gateway queue list` and the EPR. They are tried on.",
    NEEDS_ATTENTION: "See `fhir-gateway queue list --state needs-attention`.",
    SYNTHETIC: "The way to the EPR may be broken. See `fhir-gateway queue health`.",
    PAUSED: "End it with `fhir-gateway queue resume`.",
    UNTRACED: "They are delivered, and staff must find the patient. See the log for what PDS says.",
}
#: So many within so long went on because PDS could not be asked, or said no. One alone may be due
#: to what one patient typed.
_WITHOUT_PDS = (Outcome.UNREACHABLE, Outcome.REFUSED)
_FEW, _LATELY = 3, timedelta(hours=1)

_log = structlog.get_logger("delivery")


def review(parts: Parts) -> None:
    """Bring the alarms in line with how things stand."""
    now = parts.clock()
    with parts.database.transaction() as tx:
        wanted = dict(_wanted(tx, parts, now))
        for alarm in alarms.standing(tx):
            wanted.setdefault((alarm.subject, alarm.kind), None)
        for (subject, kind), detail in wanted.items():
            alarms.update(tx, subject, kind, detail, now=now)


def tell(parts: Parts, channels: Sequence[Channel]) -> None:
    """Tell what nobody has been told; what fails is told again."""
    with parts.database.transaction() as tx:
        untold = alarms.take_untold(tx, now=parts.clock())
    for alarm in untold:
        news = _news(alarm, parts.gateway_name)
        if alarm.cleared_at is None:
            _log.warning("alarm", service=alarm.subject, code=alarm.kind)
        else:
            _log.info("alarm over", service=alarm.subject, code=alarm.kind)
        failures = tell_all(channels, news)
        for failure in failures:
            _log.error("alarm not told", service=alarm.subject, code=failure.code)
        if not failures:
            with parts.database.transaction() as tx:
                alarms.told(tx, alarm, now=parts.clock())


def _wanted(
    tx: Transaction, parts: Parts, now: datetime
) -> Iterator[tuple[tuple[str, str], str | None]]:
    """What must stand, and with what detail; None where it is over."""
    for one in standing.by_service(tx):
        late = one.oldest is not None and now - one.oldest >= parts.timing.alarm_after
        age = now - one.oldest if one.oldest else timedelta(0)
        detail = f"{one.undelivered} not delivered, the oldest for {_words(age)}"
        yield (one.service_slug, UNDELIVERED), detail if late else None
        attention = f"{one.needs_attention} need a person" if one.needs_attention else None
        yield (one.service_slug, NEEDS_ATTENTION), attention
        last = standing.last_synthetic(tx, one.service_slug)
        missed = (
            last is not None
            and last[1] not in ("delivered", "confirmed")
            and now - last[0] >= parts.timing.alarm_after
        )
        sent = f"sent at {last[0]:%H:%M}Z" if last else ""
        yield (one.service_slug, SYNTHETIC), sent if missed else None
    for slug, count in standing.traced_as(tx, _WITHOUT_PDS, now - _LATELY).items():
        if count >= _FEW:
            yield (slug, UNTRACED), f"{count} went on unmatched within an hour"
    for neighbour in gates.every(tx):
        since = neighbour.paused_at
        long = since is not None and now - since >= parts.timing.alarm_after
        yield (neighbour.name, PAUSED), f"by {neighbour.paused_by}" if long else None


def _news(alarm: Alarm, gateway: str) -> News:
    over = alarm.cleared_at is not None
    title = f"{'Over: ' if over else ''}{_TITLES.get(alarm.kind, alarm.kind)}: {alarm.subject}"
    text = f"{alarm.detail}. {'' if over else _ADVICE.get(alarm.kind, '')}".strip()
    moment = alarm.cleared_at or alarm.raised_at
    return News(
        title,
        f"{text} ({gateway})",
        {
            "gateway": gateway,
            "subject": alarm.subject,
            "kind": alarm.kind,
            "state": "over" if over else "raised",
            "detail": alarm.detail,
            "at": moment.isoformat(),
        },
    )


def _words(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    return f"{minutes} minutes" if minutes < 180 else f"{minutes // 60} hours"  # noqa: PLR2004
