"""Retry-After in all its forms."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_gateway.fhir.http import MAX_RETRY_AFTER, retry_after

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        ("86400", MAX_RETRY_AFTER),
        ("9" * 400, MAX_RETRY_AFTER),
        ("Wed, 25 Nov 2026 09:00:30 GMT", 30),
        ("Wed, 25 Nov 2026 10:00:30 +0100", 30),
        ("Wed, 25 Nov 2026 09:00:30", 30),
        ("Wed, 25 Nov 2026 08:00:00 GMT", 0),
        ("Fri, 25 Dec 2026 08:00:00 GMT", MAX_RETRY_AFTER),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("١٢", None),
        ("Wed, 99 Nov 2026 09:00:30 GMT", None),
        ("Wed, 25 Nov 99999999999999999999 09:00:30 GMT", None),
    ],
)
def test_it_is_read_in_seconds_and_in_dates(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, now=NOW) == seconds


@given(st.text(max_size=60))
def test_no_header_breaks_it(header: str) -> None:
    found = retry_after(header, now=NOW)
    assert found is None or 0 <= found <= MAX_RETRY_AFTER


def test_without_a_clock_it_takes_the_systems() -> None:
    assert retry_after("Wed, 25 Nov 2020 09:00:30 GMT") == 0
