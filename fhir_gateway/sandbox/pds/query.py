"""The search parameters of `GET /Patient`: read them, or say in PDS's words what is wrong.

The grammar is the API's (https://digital.nhs.uk/developer/api-catalogue/personal-demographics-
service-fhir, "Search for a patient"). Case and spaces are forgiven where PDS forgives them; a
parameter that cannot repeat counts the first time it is given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from fhir_gateway.sandbox.pds.faults import (
    ADDITIONAL_PROPERTIES,
    MISSING_VALUE,
    UNSUPPORTED_SERVICE,
    Fault,
    invalid_search,
    invalid_value,
)
from fhir_gateway.sandbox.pds.spelling import compact_postcode

POSTCODE = "address-postalcode"
OLD_POSTCODE = "address-postcode"
PARAMETERS = (
    "family",
    "given",
    "birthdate",
    "death-date",
    "gender",
    POSTCODE,
    OLD_POSTCODE,
    "general-practitioner",
    "phone",
    "email",
    "_fuzzy-match",
    "_exact-match",
    "_history",
    "_max-results",
)
GENDERS = ("male", "female", "other", "unknown")
MAX_NAME_LENGTH = 35
MAX_RESULTS = 50
#: A `*` may not stand among the first two characters of a name or postcode.
MIN_BEFORE_WILDCARD = 2

BELOW_MINIMUM = (
    "No searches were performed as the search criteria did not meet the minimum requirements"
)
NOT_FUZZY = (
    "A fuzzy search was requested however the data given did not meet the fuzzy search criteria"
)
BAD_DATES = "Invalid Date Combination"
NO_BIRTH_DATE = "Missing value - 'birth_date/birth_date_range_start/birth_date_range_end'"

_DATE = re.compile(r"(eq|ge|le)?([0-9]{4}-[0-9]{2}-[0-9]{2})")


@dataclass(frozen=True, slots=True)
class DateRange:
    """From `earliest` to `latest`, both included; None is open."""

    earliest: date | None = None
    latest: date | None = None

    def includes(self, day: date) -> bool:
        """Whether `day` lies within the range."""
        after = self.earliest is None or self.earliest <= day
        return after and (self.latest is None or day <= self.latest)


@dataclass(frozen=True, slots=True)
class Query:
    """One search, understood. Postcodes are compact; names are as typed, wildcards included."""

    birth: DateRange
    family: str | None = None
    given: tuple[str, ...] = ()
    death: DateRange | None = None
    gender: str | None = None
    postcode: str | None = None
    practice: str | None = None
    phone: str | None = None
    email: str | None = None
    fuzzy: bool = False
    exact: bool = False
    most: int = MAX_RESULTS
    history: bool = False

    @property
    def asks_where(self) -> bool:
        """Whether the search says where somebody lives or is registered.

        Such a search never finds a restricted patient.
        """
        return self.postcode is not None or self.practice is not None


def parse(parameters: Sequence[tuple[str, str]]) -> Query:
    """Read the decoded query string, in the order PDS checks it.

    Raises Fault: UNSUPPORTED_SERVICE, ADDITIONAL_PROPERTIES, INVALID_VALUE, MISSING_VALUE or
    INVALID_SEARCH_DATA.
    """
    if not parameters:
        raise Fault(UNSUPPORTED_SERVICE)
    values = _grouped(parameters)
    _refuse_unknown(values)
    birth = _dates(values, "birthdate")
    death = _dates(values, "death-date")
    most = _max_results(values)
    query = Query(
        birth=birth or DateRange(),
        family=_name(values, "family"),
        given=tuple(_checked_name(v, "given") for v in values.get("given", []) if v.strip()),
        death=death,
        gender=_gender(values),
        postcode=_postcode(values),
        practice=_upper(_text(values, "general-practitioner")),
        phone=_text(values, "phone"),
        email=_text(values, "email"),
        fuzzy=_flag(values, "_fuzzy-match"),
        exact=_flag(values, "_exact-match"),
        history=_flag(values, "_history"),
        most=most,
    )
    if birth is None:
        raise Fault(MISSING_VALUE, NO_BIRTH_DATE)
    _refuse_poor(query)
    return query


def _grouped(parameters: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in parameters:
        values.setdefault(name, []).append(value)
    return values


def _refuse_unknown(values: Mapping[str, list[str]]) -> None:
    unknown = [f"'{name}'" for name in values if name not in PARAMETERS]
    if unknown:
        verb = "was" if len(unknown) == 1 else "were"
        raise Fault(
            ADDITIONAL_PROPERTIES,
            "Invalid request with error - Additional properties are not allowed "
            f"({', '.join(unknown)} {verb} unexpected)",
        )


def _dates(values: Mapping[str, list[str]], field: str) -> DateRange | None:
    """`[eq|ge|le]yyyy-mm-dd`, once, or twice for a range; no prefix means `eq`."""
    read = [_date(value, field) for value in values.get(field, [])]
    if not read:
        return None
    bounds = dict(read)
    if len(read) > 1 and sorted(prefix for prefix, _ in read) != ["ge", "le"]:
        raise invalid_search(BAD_DATES)
    if "eq" in bounds:
        return DateRange(bounds["eq"], bounds["eq"])
    found = DateRange(bounds.get("ge"), bounds.get("le"))
    if found.earliest and found.latest and found.earliest > found.latest:
        raise invalid_search(BAD_DATES)
    return found


def _date(value: str, field: str) -> tuple[str, date]:
    found = _DATE.fullmatch(value)
    if found is None:
        raise invalid_value(value, field)
    try:
        return found[1] or "eq", date.fromisoformat(found[2])
    except ValueError:
        raise invalid_value(value, field) from None


def _max_results(values: Mapping[str, list[str]]) -> int:
    value = _text(values, "_max-results")
    if value is None:
        return MAX_RESULTS
    if not re.fullmatch(r"[0-9]{1,4}", value) or not 1 <= int(value) <= MAX_RESULTS:
        raise invalid_value(value, "_max-results")
    return int(value)


def _text(values: Mapping[str, list[str]], field: str) -> str | None:
    """The first value of a parameter; an empty one is as good as none."""
    return next(iter(values.get(field, [])), "").strip() or None


def _upper(value: str | None) -> str | None:
    return value.upper() if value else None


def _name(values: Mapping[str, list[str]], field: str) -> str | None:
    value = _text(values, field)
    return None if value is None else _checked_name(value, field)


def _checked_name(value: str, field: str) -> str:
    name = value.strip()
    if len(name) > MAX_NAME_LENGTH:
        raise invalid_value(name, field)
    _refuse_early_wildcard(name, field)
    return name


def _refuse_early_wildcard(value: str, field: str) -> None:
    if "*" in value[:MIN_BEFORE_WILDCARD]:
        raise invalid_search(f"A wildcard is not allowed in the first two characters of {field}")


def _gender(values: Mapping[str, list[str]]) -> str | None:
    value = _text(values, "gender")
    if value is not None and value.lower() not in GENDERS:
        raise invalid_value(value, "gender")
    return value.lower() if value else None


def _postcode(values: Mapping[str, list[str]]) -> str | None:
    if POSTCODE in values and OLD_POSTCODE in values:
        raise invalid_search(f"{POSTCODE} and {OLD_POSTCODE} must not both be given")
    field = OLD_POSTCODE if OLD_POSTCODE in values else POSTCODE
    value = compact_postcode(_text(values, field) or "")
    _refuse_early_wildcard(value, field)
    return value or None


def _flag(values: Mapping[str, list[str]], field: str) -> bool:
    value = _text(values, field)
    if value is not None and value.lower() not in ("true", "false"):
        raise invalid_value(value, field)
    return value is not None and value.lower() == "true"


def _refuse_poor(query: Query) -> None:
    """The minimum combinations: they differ between a plain and a fuzzy search."""
    if not query.fuzzy:
        if query.family is None:
            raise invalid_search(BELOW_MINIMUM)
        return
    names = (query.family, *query.given, query.postcode)
    if any("*" in name for name in names if name):
        raise invalid_search(NOT_FUZZY)
    both_names = bool(query.family and query.given)
    one_name = bool(query.family or query.given)
    if not both_names and not (one_name and query.gender and query.postcode):
        raise invalid_search(NOT_FUZZY)
