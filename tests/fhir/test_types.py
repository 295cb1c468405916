"""Reading JSON that nobody has checked."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_gateway.fhir.types import as_dict, as_list, as_str, extension_value, extensions


@pytest.mark.parametrize("value", [None, 5, "text", [1], {"a": 1}, True])
def test_what_is_not_of_the_type_is_empty(value: Any) -> None:
    assert as_list(value) == (value if isinstance(value, list) else [])
    assert as_dict(value) == (value if isinstance(value, dict) else {})
    assert as_str(value) == (value if isinstance(value, str) else "")


def test_extensions_are_found_by_url_in_order() -> None:
    element = {
        "extension": [
            {"url": "urn:a", "valueString": "one"},
            "nonsense",
            {"url": "urn:b", "id": "x", "valueBoolean": False},
            {"url": "urn:a", "valueString": "two"},
        ]
    }
    assert [e["valueString"] for e in extensions(element, "urn:a")] == ["one", "two"]
    assert extension_value(element, "urn:a") == "one"
    assert extension_value(element, "urn:b") is False
    assert extension_value(element, "urn:c") is None


@pytest.mark.parametrize("element", [None, "x", {}, {"extension": "x"}, {"extension": [{}]}])
def test_an_element_without_extensions_has_none(element: Any) -> None:
    assert extensions(element, "urn:a") == []
    assert extension_value(element, "urn:a") is None
