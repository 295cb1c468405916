"""Everyone the sandbox PDS knows: the personas, and a crowd around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fhir_gateway.sandbox.pds.crowd import crowd
from fhir_gateway.sandbox.pds.persona_records import persona_records
from fhir_gateway.sandbox.pds.record import Record

SIZE = 300
SEED = 999


class Population:
    """Records by NHS number. Never changes once made, so any number of threads may read it."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._by_number = {record.nhs_number: record for record in records}

    def __iter__(self) -> Iterator[Record]:
        return iter(self._by_number.values())

    def __len__(self) -> int:
        return len(self._by_number)

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


def create_population(size: int = SIZE, *, seed: int = SEED) -> Population:
    """The personas and as many others as make `size` people, the same each time.

    A smaller population is the beginning of a larger one. There are about 980 mobile numbers to
    give away, so beyond that many people have none.
    """
    known = persona_records()
    return Population([*known, *crowd(max(0, size - len(known)), known, seed=seed)])
