from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from fhir_gateway.store import neighbours
from fhir_gateway.store.database import Database
from fhir_gateway.store.neighbours import Health

KEY = "pds:somewhere:app"


def turn(either: Database, now: int, *, longest: int = 10_000) -> int | None:
    with either.transaction() as tx:
        return neighbours.take_turn(tx, KEY, now=now, spacing=100, longest=longest)


def health(either: Database) -> Health:
    with either.transaction() as tx:
        return neighbours.health(tx, KEY)


def fail(either: Database, now: int) -> None:
    with either.transaction() as tx:
        neighbours.failed(tx, KEY, most=3, now=now, pauses=[100, 200, 400])


def test_turns_are_spaced(either: Database) -> None:
    assert [turn(either, 1000) for _ in range(3)] == [1000, 1100, 1200]
    assert turn(either, 5000) == 5000


def test_a_turn_too_far_away_is_not_taken(either: Database) -> None:
    assert [turn(either, 1000, longest=150) for _ in range(4)] == [1000, 1100, None, None]
    assert turn(either, 1100, longest=150) == 1200


def test_nobody_gets_the_turn_of_another(either: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        turns = list(pool.map(lambda _: turn(either, 1000), range(40)))
    assert sorted(t or 0 for t in turns) == [1000 + 100 * i for i in range(40)]


def test_the_breaker_opens_after_some_failures_and_longer_each_time(either: Database) -> None:
    turn(either, 0)
    opened = []
    for number in range(1, 7):
        fail(either, 1000)
        assert health(either).failures == number
        opened.append(health(either).open_until)
    assert opened == [0, 0, 1100, 1200, 1400, 1400]


def test_success_closes_it(either: Database) -> None:
    turn(either, 0)
    for _ in range(4):
        fail(either, 1000)
    with either.transaction() as tx:
        neighbours.succeeded(tx, KEY)
    assert health(either) == Health(0, 0)


def test_after_a_break_exactly_one_probes(either: Database) -> None:
    turn(either, 0)
    for _ in range(3):
        fail(either, 1000)

    def probe(_: int) -> bool:
        with either.transaction() as tx:
            return neighbours.take_probe(tx, KEY, now=1101, until=9000)

    with either.transaction() as tx:
        assert not neighbours.take_probe(tx, KEY, now=1099, until=9000)
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(probe, range(16))) == 1


def test_a_neighbour_nobody_asked_is_well(either: Database) -> None:
    assert health(either) == Health(0, 0)
