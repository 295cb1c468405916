"""How much agreement a match needs. Pure values; the rule is written in docs/decisions/0018.

The policy can be made stricter, never looser: fewer differences forgiven, or a higher age.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

#: Below this age the phone number on a record is usually a parent's, so it proves the parent.
YOUNGEST = 16


class Difference(StrEnum):
    """What may differ between a record and what was typed. One of them is forgiven in a match, as
    all else then agrees, and the phone in the person's hand is on the record."""

    PREVIOUS_NAME = "previous-name"
    PART_OF_NAME = "part-of-name"
    SWAPPED_NAMES = "swapped-names"
    SHORT_FORM = "short-form"
    FAMILY_NAME_SLIP = "family-name-slip"
    PREVIOUS_ADDRESS = "previous-address"
    POSTCODE_SLIP = "postcode-slip"


#: How evidence speaks of each.
DIFFERENCE_TEXT = {
    Difference.PREVIOUS_NAME: "as a previous name",
    Difference.PART_OF_NAME: "in part",
    Difference.SWAPPED_NAMES: "with given and family name swapped",
    Difference.SHORT_FORM: "as a short form",
    Difference.FAMILY_NAME_SLIP: "but for one slip",
    Difference.PREVIOUS_ADDRESS: "of a previous address",
    Difference.POSTCODE_SLIP: "but for one slip",
}


@dataclass(frozen=True, slots=True)
class Policy:
    """`forgiven`: differences of which one may be there. `youngest`: age in years below which
    nobody is matched by a machine. Raises ValueError when it would be looser than the default."""

    forgiven: frozenset[Difference] = frozenset(Difference)
    youngest: int = YOUNGEST

    def __post_init__(self) -> None:
        if self.youngest < YOUNGEST:
            raise ValueError(f"the youngest age of a match cannot be below {YOUNGEST}")

    def allows(self, differences: frozenset[Difference]) -> bool:
        """Whether a match may differ in these ways: in one that is forgiven, or in none."""
        return len(differences) <= 1 and differences <= self.forgiven


DEFAULT_POLICY = Policy()
