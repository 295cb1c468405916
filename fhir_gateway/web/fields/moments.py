"""Dates and times as people type them, in parts, and as FHIR has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from fhir_gateway.questionnaire.definition import Item
from fhir_gateway.questionnaire.values import is_date
from fhir_gateway.web.fields.names import DATE_PARTS, TIME_PARTS

#: A dateTime with a time needs a zone (R4); what people type here is the time on their wall.
ZONE = ZoneInfo("Europe/London")
_MONTHS = (
    "january february march april may june july august september october november december".split(),
    (
        "ionawr chwefror mawrth ebrill mai mehefin gorffennaf awst medi hydref tachwedd rhagfyr"
    ).split(),
)


class NotAMoment(Exception):
    """What was typed is no date or time: `kind` of the problem, and the parts that are wrong."""

    def __init__(self, kind: str, parts: tuple[str, ...]) -> None:
        super().__init__(kind)
        self.kind = kind
        self.parts = parts


def parts_of(item: Item) -> tuple[str, ...]:
    """The parts that an item asks for. Others' itemControls `year` and `yearMonth` ask for less
    (a FHIR date may be partial)."""
    if item.type == "time":
        return TIME_PARTS
    if item.type == "dateTime":
        return DATE_PARTS + TIME_PARTS
    return {"year": ("year",), "yearMonth": ("month", "year")}.get(item.control, DATE_PARTS)


def read_moment(item: Item, typed: Mapping[str, str]) -> str:
    """The FHIR date, dateTime or time of the typed parts, or '' when none was typed.

    Raises NotAMoment. The time of a dateTime may be left out (a dateTime may be a day).
    """
    if not any(typed.values()):
        return ""
    if item.type == "time":
        return read_time(typed)
    wanted = tuple(part for part in parts_of(item) if part in DATE_PARTS)
    day = read_day({part: typed[part] for part in wanted})
    if item.type == "date" or not any(typed[part] for part in TIME_PARTS):
        return day
    moment = datetime.fromisoformat(f"{day}T{read_time(typed)}").replace(tzinfo=ZONE)
    return moment.isoformat(timespec="seconds")


def read_day(parts: Mapping[str, str]) -> str:
    """The FHIR date of day, month and year, or of month and year, or of a year."""
    missing = tuple(part for part in DATE_PARTS if part in parts and not parts[part])
    if missing:
        raise NotAMoment("date-incomplete", missing)
    numbers = {**parts}
    if "month" in numbers:
        numbers["month"] = month_number(numbers["month"])
    present = tuple(part for part in DATE_PARTS if part in numbers)
    if not all(re.fullmatch(r"[0-9]{1,4}", text) for text in numbers.values()):
        raise NotAMoment("date-not-real", present)
    if len(numbers["year"]) != 4:  # noqa: PLR2004
        raise NotAMoment("date-short-year", ("year",))
    iso = numbers["year"] + "".join(
        f"-{int(numbers[part]):02d}" for part in ("month", "day") if part in numbers
    )
    if not is_date(iso):
        raise NotAMoment("date-not-real", present)
    return iso


def read_time(parts: Mapping[str, str]) -> str:
    """The FHIR time of hour and minute."""
    missing = tuple(part for part in TIME_PARTS if not parts[part])
    if missing:
        raise NotAMoment("time-incomplete", missing)
    if not all(re.fullmatch(r"[0-9]{1,2}", parts[part]) for part in TIME_PARTS):
        raise NotAMoment("time-not-real", TIME_PARTS)
    hour, minute = (int(parts[part]) for part in TIME_PARTS)
    if hour > 23 or minute > 59:  # noqa: PLR2004
        raise NotAMoment("time-not-real", TIME_PARTS)
    return f"{hour:02d}:{minute:02d}:00"


def month_number(text: str) -> str:
    """`March` and `Mar` as `3`: people write them, and the NHS says to accept them."""
    for names in _MONTHS:
        for number, name in enumerate(names, 1):
            if len(text) > 2 and name.startswith(text.lower()):  # noqa: PLR2004
                return str(number)
    return text
