"""Conditional requests and preferences, read from headers."""

from __future__ import annotations

import pytest
from fastapi import Request

from fhir_gateway.rest import conditions
from fhir_gateway.rest.problem import Problem


def request(**headers: str) -> Request:
    raw = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    return Request({"type": "http", "method": "PUT", "headers": raw})


@pytest.mark.parametrize("header", ['W/"3"', '"3"', ' W/"3" '])
def test_if_match_names_a_version(header: str) -> None:
    assert conditions.if_match(request(if_match=header)) == "3"
    conditions.check_if_match(request(if_match=header), "3")
    with pytest.raises(Problem) as raised:
        conditions.check_if_match(request(if_match=header), "4")
    assert raised.value.status == 412


def test_without_if_match_any_version_will_do() -> None:
    assert conditions.if_match(request()) is None
    conditions.check_if_match(request(), "7")


@pytest.mark.parametrize("header", ["3", "W/3", "*", '"1", "2"', ""])
def test_what_is_no_etag_is_refused(header: str) -> None:
    with pytest.raises(Problem) as raised:
        conditions.if_match(request(if_match=header))
    assert raised.value.status == 400


def test_preferences_are_read_and_nonsense_is_passed_over() -> None:
    assert conditions.preferences(request()) == conditions.Preferences("", False)
    both = request(prefer='return=minimal; handling="strict", nonsense')
    assert conditions.preferences(both) == conditions.Preferences("minimal", True)
    assert conditions.preferences(request(prefer="return=OperationOutcome")).returns == (
        "OperationOutcome"
    )
    assert not conditions.preferences(request(prefer="handling=lenient")).strict


def test_if_none_exist_is_a_query() -> None:
    assert conditions.if_none_exist(request()) is None
    given = request(if_none_exist="identifier=urn:x%7C1&status=")
    assert conditions.if_none_exist(given) == [("identifier", "urn:x|1"), ("status", "")]
    with_type = request(if_none_exist="Patient?identifier=1")
    assert conditions.if_none_exist(with_type) == [("identifier", "1")]
    with pytest.raises(Problem):
        conditions.if_none_exist(request(if_none_exist="Patient?"))
