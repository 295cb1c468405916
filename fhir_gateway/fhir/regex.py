"""Authors' regular expressions, run in bounded time whatever the pattern and the text.

RE2 first: linear in the text's length. What RE2 does not know (look-around, back-references) runs
on the backtracking engine of `regex`, which stops when its time is up.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

_MAX_PATTERN = 5_000
_MAX_MEMORY = 1 << 20
_MAX_SECONDS = 0.2


class TooSlow(Exception):
    """The pattern did not come to an end in time; nothing is known about the text."""


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Any | None:
    """The pattern compiled by RE2; None when RE2 cannot read it or it is beyond bounds."""
    if len(pattern) > _MAX_PATTERN:
        return None
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeError):
        return None


def is_readable(pattern: str) -> bool:
    """Whether either engine can read the pattern."""
    return compiled(pattern) is not None or _backtracking(pattern) is not None


def matches_whole(pattern: str, text: str) -> bool | None:
    """Whether the whole text has the form of the pattern; None when the pattern cannot be read.

    Raises TooSlow.
    """
    linear = compiled(pattern)
    if linear is not None:
        try:
            return linear.fullmatch(text) is not None
        except UnicodeError:
            return False
    slow = _backtracking(pattern)
    if slow is None:
        return None
    try:
        return slow.fullmatch(text, timeout=_MAX_SECONDS) is not None
    except TimeoutError:
        raise TooSlow from None


@lru_cache(maxsize=256)
def _backtracking(pattern: str) -> Any | None:
    if len(pattern) > _MAX_PATTERN:
        return None
    import regex

    try:
        return regex.compile(pattern)
    except (regex.error, RecursionError, MemoryError, OverflowError):
        return None
