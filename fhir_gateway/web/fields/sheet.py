"""A sheet is what the fields of a page hold: what was typed, whether or not it can be an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fhir_gateway.fhir.types import Element
from fhir_gateway.questionnaire.response import Address


@dataclass(slots=True)
class Sheet:
    """What the fields of a page show.

    `typed`: address of a question → suffix of a field's name (`''`, `-day`, `~0`) → its values.
    `counts`: address of the first instance of a repeating group → how many instances are shown.
    """

    typed: dict[Address, dict[str, list[str]]] = field(default_factory=dict)
    counts: dict[Address, int] = field(default_factory=dict)

    def texts(self, address: Address, suffix: str = "") -> list[str]:
        """The values of one field."""
        return self.typed.get(address, {}).get(suffix, [])

    def text(self, address: Address, suffix: str = "") -> str:
        """The first value of one field, or ''."""
        return next(iter(self.texts(address, suffix)), "")

    def put(self, address: Address, suffix: str, values: list[str]) -> None:
        """Say what one field holds."""
        self.typed.setdefault(address, {})[suffix] = values

    def slots(self, address: Address) -> int:
        """How many answers of a repeating question have a field; at least one."""
        count = self.text(address, "~n")
        return max(1, min(int(count), MAX_SLOTS)) if count.isdigit() else 1

    def without(self, group: Address) -> Sheet:
        """The sheet when the instance at `group` is gone: those after it move up."""
        moved = _moving(group)
        kept = {new: held for old, held in self.typed.items() if (new := moved(old)) is not None}
        first = (*group[:-1], (group[-1][0], 0))
        counts = {
            new: count for old, count in self.counts.items() if (new := _moved_count(old, group))
        }
        counts[first] = max(1, self.counts.get(first, 1) - 1)
        return Sheet(kept, counts)


#: More answers to one question, or instances of one group, than a person would type.
MAX_SLOTS = 50


@dataclass(frozen=True, slots=True)
class Problem:
    """Something typed that cannot be a FHIR value. `parts`: which parts of a date are wrong;
    `slot`: the suffix of the answer in a repeating question (`~1`)."""

    address: Address
    kind: str
    parts: tuple[str, ...] = ()
    slot: str = ""
    limit: str = ""


@dataclass(slots=True)
class Posted:
    """What a page's form said: answers by address, problems, and what was typed, field by field.

    `slots`: for each answer of a repeating question, the suffix of the field it came from.
    """

    answers: dict[Address, list[Element]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    sheet: Sheet = field(default_factory=Sheet)
    slots: dict[Address, list[str]] = field(default_factory=dict)


def without_instance(address: Address, group: Address) -> Address | None:
    """Where `address` is when the instance at `group` is gone; None when it was in it."""
    return _moving(group)(address)


def _moving(group: Address) -> Callable[[Address], Address | None]:
    depth, (link_id, gone) = len(group) - 1, group[-1]

    def moved(address: Address) -> Address | None:
        within = len(address) > depth and address[:depth] == group[:-1]
        if not within or address[depth][0] != link_id or address[depth][1] < gone:
            return address
        if address[depth][1] == gone:
            return None
        return (*address[:depth], (link_id, address[depth][1] - 1), *address[depth + 1 :])

    return moved


def _moved_count(address: Address, group: Address) -> Address | None:
    """As `_moving`, but the group's own count stays where it is."""
    if address == (*group[:-1], (group[-1][0], 0)):
        return address
    return _moving(group)(address)
