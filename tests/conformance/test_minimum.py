from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_gateway.conformance import minimum
from tests.conformance.conftest import RunScript
from tests.conformance.recorder import Recorder
from tests.conformance.writing import asserts, operation, outcomes, script

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("least", "actual", "lacking"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, []),
        ({"a": {"b": "x"}}, {"a": {"b": "y"}}, ["a.b"]),
        ({"a": [1, 2]}, {"a": [2, 3, 1]}, []),
        ({"a": [{"b": 1}]}, {"a": [{"c": 1}, {"b": 1, "c": 2}]}, []),
        ({"a": [{"b": 1}]}, {"a": []}, ["a[0]"]),
        ({"a": True}, {"a": 1}, ["a"]),
        ({"a": {}}, {}, ["a"]),
        ({"a": 1}, [], ["the resource"]),
    ],
)
def test_what_is_missing_is_named(least: Any, actual: Any, lacking: list[str]) -> None:
    assert minimum.missing(least, actual) == lacking


@given(VALUES)
def test_everything_holds_itself(value: Any) -> None:
    assert minimum.missing(value, value) == []


@given(st.dictionaries(st.text(min_size=1, max_size=3), VALUES, min_size=1), st.text())
def test_more_never_hurts_and_less_always_does(value: dict[str, Any], extra: str) -> None:
    assert minimum.missing(value, {**value, f"{extra}more": 1}) == []
    assert minimum.missing({**value, "a key of its own": 1}, value) != []


def test_the_id_of_a_contained_minimum_only_names_it(
    recorder: Recorder, server: str, run_script: RunScript
) -> None:
    recorder.on("GET /Patient/1", {"resourceType": "Patient", "id": "1", "active": True})
    contained = {"resourceType": "Patient", "id": "least", "active": True}
    file = {"resourceType": "Patient", "id": "other", "active": True}
    read = operation("read", resource="Patient", params="/1")

    run = run_script(
        server,
        script(
            [read, asserts(minimumId="contained")],
            [read, asserts(minimumId="file")],
            contained=[contained],
            fixture=[
                {"id": "contained", "resource": {"reference": "#least"}},
                {"id": "file", "resource": {"reference": "fixtures/least.json"}},
            ],
        ),
        {"least.json": file},
    )

    assert outcomes(run) == ["pass", "fail"]
