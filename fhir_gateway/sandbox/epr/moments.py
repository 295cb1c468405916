"""Dates and times of the sandbox EPR: those of fhir/moments.py, and instants in HTTP's form."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

from fhir_gateway.fhir.moments import Span as Span
from fhir_gateway.fhir.moments import instant as instant
from fhir_gateway.fhir.moments import span as span


def http_date(fhir_instant: str) -> str:
    """A FHIR instant as HTTP writes dates, such as `Tue, 24 Nov 2026 12:18:00 GMT`."""
    return format_datetime(datetime.fromisoformat(fhir_instant).astimezone(UTC), usegmt=True)
