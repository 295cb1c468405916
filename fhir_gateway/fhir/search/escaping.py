"""Values of search parameters with backslashes
(https://hl7.org/fhir/R4/search.html#escaping)."""

from __future__ import annotations

import re


def split(text: str, separator: str) -> list[str]:
    """Parts of an escaped value; a separator behind a backslash does not count."""
    parts = [""]
    escaped = False
    for char in text:
        if char == separator and not escaped:
            parts.append("")
        else:
            parts[-1] += char
        escaped = char == "\\" and not escaped
    return parts


def unescape(text: str) -> str:
    """A value without the backslashes of https://hl7.org/fhir/R4/search.html#escaping."""
    return re.sub(r"\\([\\,|$])", r"\1", text)
