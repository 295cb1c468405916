"""Authors' regular expressions, run by RE2: linear in the text's length, whatever the pattern."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

_MAX_PATTERN = 5_000
_MAX_MEMORY = 1 << 20


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Any | None:
    """The pattern compiled; None when RE2 cannot read it (look-around, back-references) or it is
    beyond bounds."""
    if len(pattern) > _MAX_PATTERN:
        return None
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeError):
        return None


def matches_whole(pattern: str, text: str) -> bool | None:
    """Whether the whole text has the form of the pattern; None when that cannot be said."""
    expression = compiled(pattern)
    if expression is None:
        return None
    try:
        return expression.fullmatch(text) is not None
    except UnicodeError:
        return None
