"""The non-fuzzy search: wildcards, and history on request; no homophones, no swapped names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from fhir_gateway.sandbox.pds import scoring
from fhir_gateway.sandbox.pds.query import Query
from fhir_gateway.sandbox.pds.record import PRESENT_NAMES, Name, Record
from fhir_gateway.sandbox.pds.spelling import compact_postcode, fits_pattern, fold, tidy


def plain_score(record: Record, query: Query, today: date) -> float | None:
    """How well `record` fits a non-fuzzy search, or None when it does not.

    Without history only what is true on `today` counts: present names, addresses and telecoms.
    """
    if not _facts_fit(record, query) or not telecoms_fit(record, query, today):
        return None
    names = _names_score(record, query)
    postcode = _postcode_similarity(record, query, today)
    if names is None or postcode is None:
        return None
    return scoring.score([*names, (scoring.POSTCODE_WEIGHT, postcode)])


def _facts_fit(record: Record, query: Query) -> bool:
    """Dates, gender and practice: they fit or they do not."""
    if record.birth_date is None or not query.birth.includes(record.birth_date):
        return False
    if query.gender and query.gender != record.gender:
        return False
    if query.practice and (record.practice is None or query.practice != record.practice.ods_code):
        return False
    if query.death is None:
        return True
    died = record.death.died if record.death else None
    return died is not None and query.death.includes(died)


def telecoms_fit(record: Record, query: Query, today: date) -> bool:
    """Phone and email must be on record exactly as given; only email forgives case.

    PDS keeps phone numbers as they were typed, so another way of writing one is a miss.
    """
    known = [t for t in record.telecoms if query.history or query.fuzzy or t.period.includes(today)]
    phones = {t.value for t in known if t.system == "phone"}
    emails = {t.value.casefold() for t in known if t.system == "email"}
    if query.phone is not None and query.phone not in phones:
        return False
    return query.email is None or query.email.casefold() in emails


def _names_score(record: Record, query: Query) -> list[tuple[float, float]] | None:
    """(weight, similarity) of family and given name for the name that fits best."""
    fitting = [
        parts
        for name in record.names
        if query.history or name.use in PRESENT_NAMES
        if (parts := _name_parts(name, query)) is not None
    ]
    return max(fitting, key=scoring.score, default=None)


def _name_parts(name: Name, query: Query) -> list[tuple[float, float]] | None:
    family = similarity(query.family or "", name.family)
    given = _given_similarity(query.given, name.given)
    if family is None or given is None:
        return None
    age = scoring.SAME if name.use in PRESENT_NAMES else scoring.IN_THE_PAST
    return [(scoring.FAMILY_WEIGHT, family * age), (scoring.GIVEN_WEIGHT, given * age)]


def _given_similarity(typed: Sequence[str], stored: Sequence[str]) -> float | None:
    """Given names are compared place by place, so a wildcard never finds a middle name."""
    if len(typed) > len(stored):
        return None
    found = [similarity(one, other) for one, other in zip(typed, stored, strict=False)]
    known = [value for value in found if value is not None]
    return min(known, default=scoring.SAME) if len(known) == len(found) else None


def similarity(typed: str, stored: str) -> float | None:
    """How alike one typed and one stored name are, or None; `*` in `typed` is a wildcard."""
    if "*" in typed:
        pattern, text = fold(typed), fold(stored)
        if not fits_pattern(text, pattern):
            return None
        return min(len(pattern.replace("*", "")) / len(text), scoring.MOST_FOR_WILDCARD)
    if tidy(typed) == tidy(stored):
        return scoring.SAME
    return scoring.ACCENTS_DIFFER if fold(typed) == fold(stored) else None


def _postcode_similarity(record: Record, query: Query, today: date) -> float | None:
    """The best of any known address: home, temporary, correspondence, and earlier ones if asked."""
    if query.postcode is None:
        return scoring.SAME
    return max(_postcode_fits(record, query, today), default=None)


def _postcode_fits(record: Record, query: Query, today: date) -> Iterable[float]:
    for address in record.addresses:
        now = address.period.includes(today)
        fit = similarity(query.postcode or "", compact_postcode(address.postcode))
        if fit is not None and (now or query.history):
            yield fit if now else fit * scoring.IN_THE_PAST
