"""The fuzzy search: homophones, swapped and previous names, short forms, slips in a postcode.

It forgives names and a postcode, never a date of birth; it always looks into history.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from fhir_gateway.sandbox.pds import scoring
from fhir_gateway.sandbox.pds.plain import telecoms_fit
from fhir_gateway.sandbox.pds.query import Query
from fhir_gateway.sandbox.pds.record import PRESENT_NAMES, Address, Name, Record
from fhir_gateway.sandbox.pds.spelling import (
    are_forms_of_one_name,
    compact_postcode,
    fold,
    is_postcode,
    slips,
    soundex,
    tidy,
)

_SLIPS = 1
#: A postcode that cannot be one was mistyped for certain, so it may be further off.
_SLIPS_IN_BAD_FORM = 2


def fuzzy_score(record: Record, query: Query, today: date) -> float | None:
    """How well `record` fits a fuzzy search, or None when it does not."""
    if record.birth_date is None or not query.birth.includes(record.birth_date):
        return None
    if query.gender and query.gender != record.gender:
        return None
    if not telecoms_fit(record, query, today):
        return None
    names = _names_score(record, query)
    postcode = _postcode_similarity(record.addresses, query.postcode, today)
    if names is None or postcode is None:
        return None
    return scoring.score([*names, (scoring.POSTCODE_WEIGHT, postcode), *_score_only(record, query)])


def _score_only(record: Record, query: Query) -> list[tuple[float, float]]:
    """Practice and date of death do not decide a fuzzy match; a difference lowers its score."""
    parts = []
    if query.practice:
        same = record.practice is not None and record.practice.ods_code == query.practice
        parts.append((scoring.PRACTICE_WEIGHT, scoring.SAME if same else scoring.DIFFERENT))
    if query.death:
        died = record.death.died if record.death else None
        same = died is not None and query.death.includes(died)
        parts.append((scoring.DEATH_WEIGHT, scoring.SAME if same else scoring.DIFFERENT))
    return parts


def _names_score(record: Record, query: Query) -> list[tuple[float, float]] | None:
    """(weight, similarity) of both names for the name on record that fits best."""
    fitting = [
        parts
        for name in record.names
        for parts in (_as_typed(name, query), _swapped(name, query))
        if parts is not None
    ]
    return max(fitting, key=scoring.score, default=None)


def _as_typed(name: Name, query: Query) -> list[tuple[float, float]] | None:
    family = _similarity(query.family, name.family) if query.family else scoring.SAME
    given = _given_similarity(query.given, name.given)
    return _parts(name, family, given)


def _swapped(name: Name, query: Query) -> list[tuple[float, float]] | None:
    """Family name typed as given name and the other way round."""
    if not query.family or not query.given:
        return None
    family = _similarity(query.given[0], name.family)
    given = _given_similarity((query.family,), name.given)
    place = scoring.OUT_OF_PLACE
    return _parts(name, family and family * place, given and given * place)


def _parts(
    name: Name, family: float | None, given: float | None
) -> list[tuple[float, float]] | None:
    if family is None or given is None:
        return None
    age = scoring.SAME if name.use in PRESENT_NAMES else scoring.IN_THE_PAST
    return [(scoring.FAMILY_WEIGHT, family * age), (scoring.GIVEN_WEIGHT, given * age)]


def _given_similarity(typed: Sequence[str], stored: Sequence[str]) -> float | None:
    """The first word typed is one of the given names, wherever it stands on record.

    So a middle name somebody goes by matches, and initials typed after it do no harm.
    """
    words = " ".join(typed).split()
    if not words:
        return scoring.SAME
    best: float | None = None
    for place, name in enumerate(stored):
        found = max(
            (s for one in (name, *name.split()) if (s := _similarity(words[0], one)) is not None),
            default=None,
        )
        if found is not None:
            best = max(best or 0.0, found * (scoring.SAME if place == 0 else scoring.OUT_OF_PLACE))
    return best


def _similarity(typed: str, stored: str) -> float | None:
    if tidy(typed) == tidy(stored):
        return scoring.SAME
    if fold(typed) == fold(stored):
        return scoring.ACCENTS_DIFFER
    if are_forms_of_one_name(typed, stored):
        return scoring.SHORT_FORM
    code = soundex(typed)
    return scoring.SOUNDS_ALIKE if code and code == soundex(stored) else None


def _postcode_similarity(
    addresses: Sequence[Address], typed: str | None, today: date
) -> float | None:
    """The best of all addresses, past ones too; None when no postcode is near enough."""
    if typed is None:
        return scoring.SAME
    most = _SLIPS if is_postcode(typed) else _SLIPS_IN_BAD_FORM
    best: float | None = None
    for address in addresses:
        wrong = slips(typed, compact_postcode(address.postcode), most=most)
        if wrong <= most:
            fit = scoring.SAME if wrong == 0 else scoring.SOUNDS_ALIKE
            age = scoring.SAME if address.period.includes(today) else scoring.IN_THE_PAST
            best = max(best or 0.0, fit * age)
    return best
