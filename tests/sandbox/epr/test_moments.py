"""Dates and times as spans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from fhir_gateway.sandbox.epr import moments


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2026", "2026-01-01T00:00", "2027-01-01T00:00"),
        ("2026-11", "2026-11-01T00:00", "2026-12-01T00:00"),
        ("2026-12", "2026-12-01T00:00", "2027-01-01T00:00"),
        ("2024-02-29", "2024-02-29T00:00", "2024-03-01T00:00"),
        ("2026-11-24T12:18", "2026-11-24T12:18", "2026-11-24T12:19"),
        ("2026-11-24T12:18:00Z", "2026-11-24T12:18", "2026-11-24T12:18:01"),
        ("2026-06-24T12:18:00+01:00", "2026-06-24T11:18", "2026-06-24T11:18:01"),
        ("2026-11-24T12:18:00.25Z", "2026-11-24T12:18:00.250", "2026-11-24T12:18:00.260"),
        (
            "2026-11-24T12:18:00.1234567Z",
            "2026-11-24T12:18:00.123456",
            "2026-11-24T12:18:00.123457",
        ),
    ],
)
def test_a_date_spans_as_long_as_it_is_precise(text: str, low: str, high: str) -> None:
    span = moments.span(text)

    assert span is not None
    for found, expected in ((span.low, low), (span.high, high)):
        assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC).isoformat(
            timespec="microseconds"
        )


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2026-13", "2026-02-30", "26-01-01", "2026-1-1", "2026-11-24T25:00:00Z", "9999"],
)
def test_what_is_not_a_date_has_no_span(text: str) -> None:
    assert moments.span(text) is None


def test_instants_are_written_in_utc_to_the_millisecond() -> None:
    moment = datetime(2026, 6, 1, 9, 5, 7, 123456, timezone(timedelta(hours=1)))

    assert moments.instant(moment) == "2026-06-01T08:05:07.123Z"
    assert moments.http_date("2026-06-01T08:05:07.123Z") == "Mon, 01 Jun 2026 08:05:07 GMT"
