"""Names for plain FHIR JSON."""

from __future__ import annotations

from typing import Any

#: A FHIR resource, or an element of one, as parsed JSON (decimals are `decimal.Decimal`).
Resource = dict[str, Any]
Element = dict[str, Any]
Coding = dict[str, Any]


def as_list(value: Any) -> list[Any]:
    """`value` when it is a list, else an empty list; for reading JSON nobody has checked yet."""
    return value if isinstance(value, list) else []


def as_dict(value: Any) -> dict[str, Any]:
    """`value` when it is an object, else an empty one; for reading JSON nobody has checked yet."""
    return value if isinstance(value, dict) else {}


def as_str(value: Any) -> str:
    """`value` when it is a string, else the empty string."""
    return value if isinstance(value, str) else ""


def extensions(element: Any, url: str) -> list[Element]:
    """All extensions of `element` with this url, in order."""
    listed = element.get("extension") if isinstance(element, dict) else None
    if not isinstance(listed, list):
        return []
    return [e for e in listed if isinstance(e, dict) and e.get("url") == url]


def extension_value(element: Any, url: str) -> Any:
    """The value[x] of the first extension with this url, or None."""
    for extension in extensions(element, url):
        for key, value in extension.items():
            if key.startswith("value"):
                return value
    return None
