"""The document of a request as plain text: 76 columns, nothing but its content."""

from __future__ import annotations

import textwrap

from fhir_gateway.mapping.document import Document

WIDTH = 76
_LABEL = 16


def plain_text(document: Document) -> str:
    """The document as text with line breaks, ending in one."""
    lines = [document.title, "=" * min(len(document.title), WIDTH)]
    if document.service:
        lines.append(document.service)
    lines.append("")
    for label, text in document.facts:
        lines.extend(_wrapped(text, f"{label + ':':<{_LABEL}}", " " * _LABEL))
    for line in document.lines:
        indent = "  " * line.depth
        if line.role == "answer":
            lines.extend(_wrapped(line.text, f"{indent}  ", f"{indent}  "))
            continue
        lines.append("")
        lines.extend(_wrapped(line.text, indent, indent))
        if line.role == "heading" and line.depth == 0:
            lines.append("-" * min(len(line.text), WIDTH))
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    """Each line of a text, wrapped; words that are too long stay whole, to be copied."""
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        wrapped = textwrap.wrap(
            paragraph, WIDTH, break_long_words=False, break_on_hyphens=False
        ) or [""]
        lines.extend((rest if lines else first) + part for part in wrapped)
        first = rest
    return lines
