"""Taking over from the dead and the silent, and finding what nobody works on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from fhir_gateway.delivery import processes
from fhir_gateway.delivery.duties import Duties
from fhir_gateway.delivery.watch import Watch
from fhir_gateway.store import workers
from fhir_gateway.store.requests import RequestState
from fhir_gateway.store.workers import Place
from tests.delivery.scripted.conftest import Recorder, World

ELSEWHERE = Place("another machine", 1, "1")


class Engine(Recorder):
    """Remembers what was taken over; knows which requests live."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[str] = []
        self.alive: set[str] = set()
        self.working: set[str] = set()

    def take_over(self, executor_id: str) -> int:
        self.taken.append(executor_id)
        return 1

    def retake(self, executor_id: str, after: float) -> int:
        return 0

    def live(self) -> set[str]:
        return self.alive

    def executors(self) -> set[str]:
        return self.working

    def forget(self, before: datetime, limit: int = 0) -> int:
        return 0


def watch(world: World, engine: Any, name: str = "me") -> Watch:
    return Watch(world.parts, engine, name, Duties())


def beat(world: World, name: str, place: Place = ELSEWHERE) -> None:
    with world.database.transaction() as tx:
        workers.beat(tx, name, place, now=world.clock())


def test_a_process_that_fell_silent_is_taken_over_once(world: World) -> None:
    engine = Engine()
    beat(world, "gone/1")
    world.clock.forward(seconds=29)
    watch(world, engine).round()
    assert engine.taken == []
    world.clock.forward(seconds=2)
    watch(world, engine).round()
    watch(world, engine, "other").round()
    assert engine.taken == ["gone/1"]


def test_a_process_of_this_machine_that_has_ended_is_taken_over_at_once(world: World) -> None:
    engine = Engine()
    mine = processes.own_place()
    beat(world, "dead/1", Place(mine.machine, mine.pid, "an earlier process of this number"))
    watch(world, engine).round()
    assert engine.taken == ["dead/1"]


def test_a_busy_machine_does_not_make_its_living_processes_dead(world: World) -> None:
    engine = Engine()
    beat(world, "busy/1", processes.own_place())
    world.clock.forward(seconds=60)
    watch(world, engine).round()
    assert engine.taken == []
    world.clock.forward(seconds=300)
    watch(world, engine).round()
    assert engine.taken == ["busy/1"]


def test_who_takes_over_and_dies_is_followed_by_another(world: World) -> None:
    engine = Engine()
    beat(world, "gone/1")
    world.clock.forward(seconds=31)
    with world.database.transaction() as tx:
        assert workers.claim(
            tx, "gone/1", "died over it", claimed_before=world.clock(), now=world.clock()
        )
    watch(world, engine).round()
    assert engine.taken == []
    world.clock.forward(seconds=31)
    watch(world, engine).round()
    assert engine.taken == ["gone/1"]


def test_who_leaves_in_order_leaves_its_work_to_others_at_once(world: World) -> None:
    engine = Engine()
    leaving = watch(world, engine, "leaving")
    leaving.enter()
    leaving.leave()
    watch(world, engine).round()
    assert engine.taken == ["leaving"]


def test_work_of_a_process_that_is_on_no_list_is_found(world: World) -> None:
    engine = Engine()
    engine.working = {"of an older release", "me"}
    mine = watch(world, engine)
    mine.enter()
    mine.look_after()
    mine.round()
    assert engine.taken == ["of an older release"]


def test_what_nothing_works_on_is_enqueued_again_even_behind_many_that_live(world: World) -> None:
    engine = Engine()
    engine.alive = {world.request(RequestState.MAPPED) for _ in range(3)}
    orphan = world.request(RequestState.ACCEPTED)
    unconfirmed = world.request(RequestState.DELIVERED)
    world.clock.forward(minutes=14)
    young = world.request(RequestState.MAPPED)
    world.clock.forward(minutes=2)
    assert watch(world, engine).reconcile() == 2
    assert {request_id for request_id, _ in engine.enqueued} == {orphan, unconfirmed}
    assert young not in dict(engine.enqueued)
    assert world.events(orphan)[-1] == "requeued"


def test_one_process_at_a_time_looks_after_things(world: World) -> None:
    done: list[str] = []

    class Noted(Duties):
        def do(self, parts: Any, engine: Any) -> None:
            done.append("done")

    engine: Any = Engine()
    both = [Watch(world.parts, engine, name, Noted()) for name in ("a", "b")]
    for one in both:
        one.look_after()
    assert done == ["done"]
    world.clock.now += world.parts.timing.look_after + timedelta(seconds=1)
    for one in both:
        one.look_after()
    assert done == ["done", "done"]
