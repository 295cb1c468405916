"""Spans of time as the fewest years, months and days."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from fhir_gateway.fhir.search.days import cover, days_of

DAYS = st.dates(date(1900, 1, 1), date(2060, 12, 31))


def within(names: list[str], day: date) -> list[str]:
    return [name for name in names if day.isoformat().startswith(name)]


@given(low=DAYS, length=st.integers(0, 20_000), other=st.integers(-400, 20_400))
def test_a_day_is_covered_once_if_and_only_if_it_is_in_the_span(
    low: date, length: int, other: int
) -> None:
    high = low + timedelta(days=length)
    day = low + timedelta(days=other)
    names = cover(low, high)
    assert len(within(names, day)) == (1 if low <= day < high else 0)
    assert len(names) <= 2 * (30 + 11) + (length // 365) + 2
    assert len(names) == len(set(names))


def test_a_date_is_found_by_day_month_and_year() -> None:
    assert days_of("1980-11-15") == ["1980-11-15", "1980-11", "1980"]
    assert days_of("1980-11") == ["1980-11", "1980"]
    assert days_of("1980") == ["1980"]


def test_spans_without_an_end_are_short() -> None:
    assert len(cover(date(1, 1, 1), date(9999, 12, 31))) == 251
    assert cover(date(1980, 11, 15), date(1981, 1, 1))[0] == "1980-11-15"
    assert cover(date(1980, 11, 15), date(1981, 1, 1))[-1] == "1980-12"
