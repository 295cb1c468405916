"""FHIR dates and times as spans of time that compare as text.

A date without a time is a whole day, `2026-11` a whole month
(https://hl7.org/fhir/R4/search.html#date). What has no time zone is taken as UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

_FORM = re.compile(
    r"\d{4}(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"(?P<time>T\d\d:\d\d(?P<second>:\d\d(\.(?P<fraction>\d{1,9}))?)?"
    r"(Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)
_FIRST_DAY = "0001-01-01"
_DECEMBER = 12
_MICROSECOND_DIGITS = 6


class Span(NamedTuple):
    """From `low` until just before `high`; both in UTC, all of one length, ordered as text."""

    low: str
    high: str


def span(text: str) -> Span | None:
    """The span that a FHIR date, dateTime or instant stands for, or None when it is none."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    try:
        moment = datetime.fromisoformat(text + _FIRST_DAY[len(text) :])
        start = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return Span(comparable(start), comparable(_end(match, start)))
    except (ValueError, OverflowError):
        return None


def comparable(moment: datetime) -> str:
    """A moment as the ends of spans are written."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def instant(moment: datetime) -> str:
    """A FHIR instant in UTC, to the millisecond: `2026-11-24T12:18:00.123Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _end(match: re.Match[str], start: datetime) -> datetime:
    parts = match.groupdict()
    if parts["fraction"]:
        digits = min(len(parts["fraction"]), _MICROSECOND_DIGITS)
        return start + timedelta(microseconds=10 ** (_MICROSECOND_DIGITS - digits))
    if parts["second"]:
        return start + timedelta(seconds=1)
    if parts["time"]:
        return start + timedelta(minutes=1)
    if parts["day"]:
        return start + timedelta(days=1)
    if parts["month"] and start.month < _DECEMBER:
        return start.replace(month=start.month + 1)
    return start.replace(year=start.year + 1, month=1)
