"""How close a record comes to a search, as a number from 0 to 1.

PDS does not publish its formula; it says that 1 is an exact match, that less is a partial one, and
that the best comes first. The weights here give scores near those its own examples show.
"""

from __future__ import annotations

from collections.abc import Iterable

FAMILY_WEIGHT = 0.15
GIVEN_WEIGHT = 0.12
POSTCODE_WEIGHT = 0.08
PRACTICE_WEIGHT = 0.05
DEATH_WEIGHT = 0.05

#: Similarities of one value. A value that is not similar at all is no match and has none.
SAME = 1.0
ACCENTS_DIFFER = 0.9
SHORT_FORM = 0.75
SOUNDS_ALIKE = 0.6
OUT_OF_PLACE = 0.6
MOST_FOR_WILDCARD = 0.95
DIFFERENT = 0.0
#: What was true once counts a little less than what is true now.
IN_THE_PAST = 0.8

_DECIMALS = 4


def score(parts: Iterable[tuple[float, float]]) -> float:
    """The score of a record from (weight, similarity) of each value that was compared."""
    return round(1 - sum(weight * (1 - similarity) for weight, similarity in parts), _DECIMALS)
