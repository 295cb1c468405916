"""What a process keeps between steps and requests changes nothing but the time they take."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest

from fhir_gateway.delivery import submitted
from fhir_gateway.delivery.kept import Memory
from fhir_gateway.delivery.mapping import build_bundle
from fhir_gateway.delivery.steps import bind
from fhir_gateway.delivery.submitted import read_submitted
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.store import services
from fhir_gateway.store.requests import RequestState
from tests.delivery.conftest import World


def through(world: World, request_id: str, *, cold: bool) -> None:
    """All steps; `cold`: each in a process that has never seen anything."""
    for name in ("trace", "map", "send", "confirm"):
        parts = replace(world.parts, kept=Memory()) if cold else world.parts
        assert bind(parts)[name](request_id, 0) is None
    assert world.state(request_id) is RequestState.CONFIRMED


def test_warm_steps_make_what_cold_steps_make(world: World) -> None:
    request_id = world.accepted()
    assert bind(world.parts)["trace"](request_id, 0) is None
    request = world.request(request_id)
    with world.gateway.database.reading() as tx:
        service = world.parts.service(tx, request.service_slug)
    target = world.parts.target(service.mapping_for(request.questionnaire) or "")
    other = world.accepted()
    through(world, other, cold=False)
    warm = build_bundle(world.parts, request, service, target)
    cold = build_bundle(replace(world.parts, kept=Memory()), request, service, target)
    assert fhir_json.dump(warm) == fhir_json.dump(cold)
    people = read_submitted(world.parts, request)
    assert people == read_submitted(replace(world.parts, kept=Memory()), request)


def test_requests_go_all_the_way_cold_and_warm(world: World) -> None:
    for cold in (True, False, False):
        request_id = world.accepted()
        through(world, request_id, cold=cold)
        assert len(world.at_epr("ServiceRequest", request_id)) == 1


def test_who_wrote_is_read_once_a_request_and_not_kept_after_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapped: list[str] = []
    real = submitted.apply_prepared

    def counted(prepared: Any, *args: Any, **more: Any) -> Any:
        mapped.append(prepared.target.name)
        return real(prepared, *args, **more)

    monkeypatch.setattr(submitted, "apply_prepared", counted)
    before = len(world.parts.kept.submitted)
    through(world, world.accepted(), cold=False)
    assert mapped == ["as-submitted", "uk-core-transaction"]
    assert len(world.parts.kept.submitted) == before


def test_a_service_that_is_imported_anew_is_read_anew(world: World) -> None:
    with world.gateway.database.transaction() as tx:
        before = world.parts.service(tx, "rheumatology")
        assert world.parts.service(tx, "rheumatology") is before
        bundle = services.find(tx, "rheumatology")
        assert bundle is not None
        bundle["entry"][0]["resource"]["name"] = "Another name"
        services.save(tx, "rheumatology", bundle, now=world.parts.clock())
        tx.session.flush()
        assert world.parts.service(tx, "rheumatology").name == "Another name"


def test_what_is_kept_is_bounded() -> None:
    memory = Memory()
    for _ in range(1000):
        memory.submitted.get((str(uuid.uuid4()), ""), lambda: None)  # type: ignore[arg-type,return-value]
    assert len(memory.submitted) <= 256
