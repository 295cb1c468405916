"""Who calls, and what they may: the one value that every read, search and write is filtered by."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from fastapi import Request

from fhir_gateway.auth.scopes import Scopes as Scopes
from fhir_gateway.rest.problem import FORBIDDEN, UNAUTHENTICATED, Problem
from fhir_gateway.store import services
from fhir_gateway.store.database import Transaction

#: Among `Access.providers`: an administrator of the gateway, who sees all providers.
ALL = "ALL"
#: What all providers share, or what says where patient data go: only administrators write it.
ADMIN_TYPES = frozenset(
    "Questionnaire HealthcareService Organization Endpoint ValueSet CodeSystem "
    "StructureDefinition".split()
)
_WRITES = "cud"
_LETTERS = {"c": "create", "r": "read", "u": "update", "d": "delete", "s": "search"}


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

    def sees(self, ods_code: str) -> bool:
        """Whether it sees the data of a provider."""
        return self.sees_all or ods_code in self.providers

    @property
    def visible(self) -> frozenset[str] | None:
        """The ODS codes that what it reads is filtered by; None: by none."""
        return None if self.sees_all else self.providers

    def may(self, resource_type: str, letter: str) -> bool:
        """Whether it may create (c), read (r), update (u), delete (d) or search (s) a type."""
        if letter in _WRITES and resource_type in ADMIN_TYPES and not self.sees_all:
            return False
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


def services_of(tx: Transaction, access: Access) -> list[str]:
    """The short names of the services whose data a client may see."""
    return services.slugs(tx) if access.sees_all else services.of_providers(tx, access.providers)


def concerns(request: Request, ods_codes: Iterable[str]) -> None:
    """Say whose data an answer has, for the record. Of a client that serves several providers only
    administrators may read what nobody said this of."""
    known: set[str] = getattr(request.state, "concerned", set())
    request.state.concerned = (known | set(ods_codes)) - {""}


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
            f"Only an administrator's client may {_LETTERS[letter]} {resource_type}."
            if access.scopes.may(resource_type, letter)
            else f"The token has no scope to {_LETTERS[letter]} {resource_type}.",
            headers={"WWW-Authenticate": 'Bearer error="insufficient_scope"'},
        )
    return access
