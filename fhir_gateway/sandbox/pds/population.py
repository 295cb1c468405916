"""Everyone the sandbox PDS knows: the personas, and a crowd around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from fhir_gateway.sandbox.pds.crowd import crowd
from fhir_gateway.sandbox.pds.persona_records import persona_records
from fhir_gateway.sandbox.pds.personas import people
from fhir_gateway.sandbox.pds.published import published_records
from fhir_gateway.sandbox.pds.query import DateRange
from fhir_gateway.sandbox.pds.record import Record

SIZE = 3000
SEED = 999


class Population:
    """Records by NHS number. Never changes once made, so any number of threads may read it."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._by_number = {record.nhs_number: record for record in records}
        self._by_birth: dict[date, list[Record]] = {}
        for record in self._by_number.values():
            if record.birth_date:
                self._by_birth.setdefault(record.birth_date, []).append(record)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._by_number.values())

    def __len__(self) -> int:
        return len(self._by_number)

    def born(self, range_: DateRange) -> Iterable[Record]:
        """Everybody who may have been born within a range."""
        if range_.earliest and range_.earliest == range_.latest:
            return self._by_birth.get(range_.earliest, ())
        return self

    def get(self, nhs_number: str) -> Record | None:
        """The record that was once given this number, whatever became of it."""
        return self._by_number.get(nhs_number)

    def standing(self, record: Record) -> Record:
        """The record that stands today: itself, or the last of those that took its place.

        A chain that leads nowhere or in a circle ends where it does.
        """
        passed = {record.nhs_number}
        while record.superseded_by and record.superseded_by not in passed:
            following = self.get(record.superseded_by)
            if following is None:
                break
            passed.add(following.nhs_number)
            record = following
        return record


def create_population(
    size: int = SIZE, *, seed: int = SEED, with_published: bool = True
) -> Population:
    """The personas, the people of the public sandbox, and a crowd of `size` less the personas, the
    same each time. `with_published`: whether the people of the public sandbox are there.

    A smaller crowd is the beginning of a larger one. There are about 980 mobile numbers to give
    away, so beyond that many people have none.
    """
    personas, published = persona_records(), published_records()
    # A persona of whom PDS holds nothing was born on a day too.
    said = [Record(p.nhs_number, birth_date=date.fromisoformat(p.birth_date)) for p in people()]
    known = [*personas, *published, *said]
    others = crowd(max(0, size - len(personas)), known, seed=seed)
    return Population([*personas, *others, *(published if with_published else ())])
