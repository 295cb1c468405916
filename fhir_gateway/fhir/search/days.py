"""Dates as names of days, months and years: what hashed dates can be searched by.

A date that is kept as a keyed hash cannot be compared. It is indexed under the hashes of its day,
its month and its year, and a span of time is looked for as the few days, months and years that
cover it: `ge1980-11-15` is 16 days, a month, and the years from 1981 on.
"""

from __future__ import annotations

from datetime import date, timedelta

FIRST, LAST = 1850, 2100


def days_of(text: str) -> list[str]:
    """The day, month and year that a FHIR date is within: `2026-11-25`, `2026-11`, `2026`."""
    day = text[:10]
    return [day[:length] for length in (10, 7, 4) if len(day) >= length]


def cover(low: date, high: date) -> list[str]:
    """The fewest years, months and days that make up the days from `low` until before `high`,
    within the years 1850 to 2100."""
    low, high = max(low, date(FIRST, 1, 1)), min(high, date(LAST + 1, 1, 1))
    found: list[str] = []
    while low < high:
        for length, following in (
            (4, _next_year(low)),
            (7, _next_month(low)),
            (10, _next_day(low)),
        ):
            starts = low.isoformat()[length:] in ("-01-01", "-01", "")
            if starts and following <= high:
                found.append(low.isoformat()[:length])
                low = following
                break
    return found


def _next_year(day: date) -> date:
    return date(day.year + 1, 1, 1)


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _next_day(day: date) -> date:
    return day + timedelta(days=1)
