"""Who calls, and what they may: the one value that every read, search and write is filtered by."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from fastapi import Request

from fhir_gateway.rest.problem import FORBIDDEN, UNAUTHENTICATED, Problem

#: Among `Access.providers`: an administrator of the gateway, who sees all providers.
ALL = "ALL"
_LETTERS = {"c": "create", "r": "read", "u": "update", "d": "delete", "s": "search"}


@dataclass(frozen=True, slots=True)
class Scopes:
    """SMART scopes: pairs of a resource type (or `*`) and a letter of `cruds`."""

    granted: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Scopes:
        """From (type, letters), such as `("Task", "ru")`."""
        return cls(frozenset((name, letter) for name, letters in pairs for letter in letters))

    def may(self, resource_type: str, letter: str) -> bool:
        """Whether a scope allows this."""
        return bool({(resource_type, letter), ("*", letter)} & self.granted)


@dataclass(frozen=True, slots=True)
class Access:
    """What a client may. `providers`: ODS codes whose data it may see, or `ALL` among them."""

    client_id: str
    providers: frozenset[str]
    scopes: Scopes = field(default_factory=Scopes)

    @property
    def sees_all(self) -> bool:
        """Whether it sees the data of every provider."""
        return ALL in self.providers

    def may(self, resource_type: str, letter: str) -> bool:
        """Whether it may create (c), read (r), update (u), delete (d) or search (s) a type."""
        return self.scopes.may(resource_type, letter)


#: Somebody without a token: sees what is published, and nothing of any provider.
NOBODY = Access("", frozenset())

#: Reads the token of a request. Raises Problem (401) when there is none or it is not valid.
Authenticate = Callable[[Request], Access]


def nobody(request: Request) -> Access:
    """The Authenticate of an API that knows no clients."""
    del request
    raise Problem(
        UNAUTHENTICATED,
        "login",
        "This needs an access token.",
        headers={"WWW-Authenticate": "Bearer"},
    )


def require(request: Request, resource_type: str, letter: str) -> Access:
    """The access of this request's client. Raises Problem: 401 without a valid token, 403 when its
    scopes do not allow this. An empty `letter` asks for a valid token only: of Bundles at the base
    the entries are asked one by one."""
    authenticate: Authenticate = request.app.state.authenticate
    access = authenticate(request)
    if letter and not access.may(resource_type, letter):
        raise Problem(
            FORBIDDEN,
            "forbidden",
            f"The token has no scope to {_LETTERS[letter]} {resource_type}.",
            headers={"WWW-Authenticate": 'Bearer error="insufficient_scope"'},
        )
    return access
