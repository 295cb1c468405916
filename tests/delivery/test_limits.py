"""What one EPR is asked at most: in general, and for single EPRs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import ValidationError

from fhir_gateway.delivery.announce import announce
from fhir_gateway.delivery.gate import Limits, name_of_epr
from fhir_gateway.delivery.mapping import map_request
from fhir_gateway.delivery.parts import AllLimits
from fhir_gateway.delivery.settings import DeliverySettings, limits_by_epr
from fhir_gateway.delivery.trace import trace
from tests.delivery.conftest import World

BASE = "https://epr.example.nhs.uk/fhir"


def test_an_epr_has_its_own_limits_and_the_rest_of_the_general_ones() -> None:
    settings = DeliverySettings.model_validate(
        {
            "epr_limits": {"per_minute": 300, "failures": 7},
            "epr_limits_by_base": {BASE: {"at_once": 2, "rest": "PT2M"}},
        }
    )
    limits = AllLimits(settings.epr_limits, by_epr=limits_by_epr(settings))
    own = limits.of(name_of_epr(BASE))
    assert own == Limits(per_minute=300, failures=7, at_once=2, rest=timedelta(minutes=2))
    assert limits.of(name_of_epr("https://another.example")) == Limits(per_minute=300, failures=7)


def test_a_slash_at_the_end_makes_no_difference() -> None:
    settings = DeliverySettings.model_validate({"epr_limits_by_base": {f"{BASE}/": {"at_once": 2}}})
    assert limits_by_epr(settings)[name_of_epr(BASE)].at_once == 2


@pytest.mark.parametrize("wrong", [{"at_twice": 2}, {"at_once": "many"}, {"rest": "soon"}])
def test_what_is_no_limit_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DeliverySettings.model_validate({"epr_limits_by_base": {BASE: wrong}})


def test_they_hold_for_that_epr(world: World) -> None:
    first, second = world.accepted(), world.accepted()
    for request_id in (first, second):
        trace(world.parts, request_id, 0)
        map_request(world.parts, request_id, 0)
    here, elsewhere = name_of_epr(world.epr), name_of_epr("https://another.example")
    narrow = AllLimits(by_epr={here: Limits(at_once=1)})
    parts = replace(world.parts, limits=narrow)
    assert announce(parts, first, here).attempt_id
    assert announce(parts, second, here).attempt_id is None
    wide = replace(world.parts, limits=AllLimits(by_epr={elsewhere: Limits(at_once=1)}))
    assert announce(wide, second, here).attempt_id
