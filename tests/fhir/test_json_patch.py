"""JSON Patch and FHIRPath Patch: what they do, and that they do nothing by halves."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_gateway.fhir import json_patch, merge_patch, path_patch
from fhir_gateway.fhir.json_patch import PatchRefused


@pytest.mark.parametrize(
    ("document", "operation", "expected"),
    [
        ({"a": 1}, {"op": "add", "path": "/b", "value": 2}, {"a": 1, "b": 2}),
        ({"a": [1, 3]}, {"op": "add", "path": "/a/1", "value": 2}, {"a": [1, 2, 3]}),
        ({"a": [1]}, {"op": "add", "path": "/a/-", "value": 2}, {"a": [1, 2]}),
        ({"a": 1, "b": 2}, {"op": "remove", "path": "/b"}, {"a": 1}),
        ({"a": {"b": 1}}, {"op": "replace", "path": "/a/b", "value": [7]}, {"a": {"b": [7]}}),
        ({"a": 1}, {"op": "move", "from": "/a", "path": "/b"}, {"b": 1}),
        ({"a": [1]}, {"op": "copy", "from": "/a", "path": "/b"}, {"a": [1], "b": [1]}),
        ({"a/b": 1, "m~n": 2}, {"op": "test", "path": "/a~1b", "value": 1}, None),
        ({"a": 1}, {"op": "add", "path": "", "value": {}}, {}),
    ],
)
def test_operations_of_rfc_6902(document: Any, operation: Any, expected: Any) -> None:
    assert json_patch.apply(document, [operation]) == (document if expected is None else expected)


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "add", "path": "/x/y", "value": 1},
        {"op": "add", "path": "/a/7", "value": 1},
        {"op": "add", "path": "/a/01", "value": 1},
        {"op": "add", "path": "a", "value": 1},
        {"op": "add", "path": "/b"},
        {"op": "remove", "path": "/a/-"},
        {"op": "move", "from": "/a", "path": "/a/0"},
        {"op": "spin", "path": "/a"},
        {"op": "test", "path": "/a/0", "value": True},
        {"path": "/a"},
        [],
        None,
    ],
)
def test_what_cannot_be_applied_is_refused_and_changes_nothing(operation: Any) -> None:
    document = {"a": [1]}
    with pytest.raises(PatchRefused):
        json_patch.apply(document, [{"op": "add", "path": "/z", "value": 0}, operation])
    assert document == {"a": [1]}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(JSON, JSON)
def test_no_json_breaks_it(document: Any, patch: Any) -> None:
    with contextlib.suppress(PatchRefused):
        json_patch.apply(document, patch)


def operation(**parts: dict[str, Any]) -> dict[str, Any]:
    listed = [{"name": name, **part} for name, part in parts.items()]
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": "operation", "part": listed}],
    }


TASK = {
    "resourceType": "Task",
    "status": "requested",
    "note": [{"text": "one"}, {"text": "two"}],
    "identifier": [{"system": "s", "value": "1"}, {"system": "t", "value": "2"}],
}


def path(text: str) -> dict[str, str]:
    return {"valueString": text}


@pytest.mark.parametrize(
    ("parts", "element", "expected"),
    [
        ({"type": "replace", "path": "Task.status", "value": "accepted"}, "status", "accepted"),
        ({"type": "delete", "path": "Task.note[0]"}, "note", [{"text": "two"}]),
        ({"type": "delete", "path": "Task.note.first()"}, "note", [{"text": "two"}]),
        ({"type": "delete", "path": "Task.owner"}, "status", "requested"),
        (
            {"type": "replace", "path": "Task.note.last().text", "value": "zwei"},
            "note",
            [{"text": "one"}, {"text": "zwei"}],
        ),
        (
            {"type": "replace", "path": "Task.identifier.where(system = 't').value", "value": "9"},
            "identifier",
            [{"system": "s", "value": "1"}, {"system": "t", "value": "9"}],
        ),
    ],
)
def test_fhirpath_patches(parts: dict[str, str], element: str, expected: Any) -> None:
    given_parts: dict[str, dict[str, Any]] = {
        "type": {"valueCode": parts["type"]},
        "path": path(parts["path"]),
    }
    if "value" in parts:
        given_parts["value"] = {"valueString": parts["value"]}
    assert path_patch.apply(TASK, operation(**given_parts))[element] == expected


def test_fhirpath_patches_move_and_insert() -> None:
    moved = operation(
        type={"valueCode": "move"},
        path=path("Task.note"),
        source={"valueInteger": 0},
        destination={"valueInteger": 1},
    )
    assert path_patch.apply(TASK, moved)["note"] == [{"text": "two"}, {"text": "one"}]
    inserted = operation(
        type={"valueCode": "insert"},
        path=path("Task.note"),
        index={"valueInteger": 1},
        value={"part": [{"name": "text", "valueString": "between"}]},
    )
    assert [n["text"] for n in path_patch.apply(TASK, inserted)["note"]] == [
        "one",
        "between",
        "two",
    ]


@pytest.mark.parametrize(
    "text",
    ["", "status", "Patient.name", "Task.note", "Task..status", "Task.note.where(x)", "Task.a()"],
)
def test_paths_that_lead_to_no_one_element_are_refused(text: str) -> None:
    with pytest.raises(PatchRefused):
        path_patch.apply(
            TASK,
            operation(type={"valueCode": "replace"}, path=path(text), value={"valueString": "x"}),
        )


@given(JSON)
def test_no_parameters_break_it(value: Any) -> None:
    patch = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": value}]}
    with contextlib.suppress(PatchRefused):
        path_patch.apply(TASK, patch)


@pytest.mark.parametrize(
    ("document", "patch", "expected"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a"], {"a": {"b": {"c": None}}}, {"a": {"b": {}}}),
        ({"a": "foo"}, "bar", "bar"),
    ],
)
def test_merge_patches_of_rfc_7396(document: Any, patch: Any, expected: Any) -> None:
    assert merge_patch.apply(document, patch) == expected
