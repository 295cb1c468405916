"""Scopes of SMART Backend Services: reading them, granting them, asking them.

`system/Task.rs` (version 2: letters of c, r, u, d, s in that order) and `system/Task.read`
(version 1: `read` is r and s, `write` is c, u and d, `*` is all). Version 2 with a query
(`?category=…`) is never granted: without its condition it would be more than was asked.
https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

LETTERS = "cruds"
ANY = "*"
_VERSION_1 = {"read": "rs", "write": "cud", "*": LETTERS}
_SCOPE = re.compile(
    r"system/(?P<type>\*|[A-Z][A-Za-z]{1,63})\.(?P<rights>read|write|\*|c?r?u?d?s?)"
)


@dataclass(frozen=True, slots=True)
class Scopes:
    """What may be done with which type: pairs of a type, or `*`, and one of the letters."""

    granted: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Scopes:
        """From (type, letters), such as `("Task", "ru")`."""
        return cls(frozenset((name, letter) for name, letters in pairs for letter in letters))

    def may(self, resource_type: str, letter: str) -> bool:
        """Whether one of c, r, u, d, s is granted for a type."""
        return (resource_type, letter) in self.granted or (ANY, letter) in self.granted

    def __and__(self, other: Scopes) -> Scopes:
        """What both grant."""
        mine = {pair for pair in self.granted if other.may(*pair)}
        theirs = {pair for pair in other.granted if self.may(*pair)}
        return Scopes(frozenset(mine | theirs))

    def __bool__(self) -> bool:
        return bool(self.granted)

    def __str__(self) -> str:
        """In version 2, sorted, what `*` covers left out."""
        types = sorted({name for name, _ in self.granted})
        said = []
        for name in types:
            letters = "".join(
                letter
                for letter in LETTERS
                if (name, letter) in self.granted
                and (name == ANY or (ANY, letter) not in self.granted)
            )
            if letters:
                said.append(f"system/{name}.{letters}")
        return " ".join(said)


#: Everything that there is.
ALL_SCOPES = Scopes(frozenset((ANY, letter) for letter in LETTERS))


def parse(text: str) -> Scopes:
    """The scopes in a text with spaces between them; what this gateway cannot grant is left out."""
    return Scopes(frozenset(pair for word in text.split() for pair in _one(word)))


def unknown(words: Iterable[str]) -> list[str]:
    """Those of the scopes that this gateway does not know."""
    return [word for word in words if not _one(word)]


def as_granted(asked: str, granted: Scopes) -> str:
    """How an answer names what was granted: as it was asked where all of that was granted, so that
    a client of version 1 finds its own words again; else in version 2."""
    words = [word for word in asked.split() if _one(word)]
    if words and parse(" ".join(words)) == granted:
        return " ".join(dict.fromkeys(words))
    return str(granted)


def _one(word: str) -> set[tuple[str, str]]:
    match = _SCOPE.fullmatch(word)
    if match is None:
        return set()
    rights = match["rights"]
    return {(match["type"], letter) for letter in _VERSION_1.get(rights, rights)}
