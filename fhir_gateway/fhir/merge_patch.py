"""JSON Merge Patch (RFC 7396) on plain JSON: what widely used clients send as a PATCH. Pure."""

from __future__ import annotations

from typing import Any


def apply(document: Any, patch: Any) -> Any:
    """The document with a patch applied: what is named is replaced, null takes away."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(document) if isinstance(document, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = apply(merged.get(name), value)
    return merged
