"""What handlers that write work with, and the transaction that they write in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.exc import IntegrityError

from fhir_gateway.delivery.engine import Engine
from fhir_gateway.delivery.parts import Parts
from fhir_gateway.fhir import check
from fhir_gateway.fhir.outcome import issue
from fhir_gateway.fhir.types import Resource
from fhir_gateway.provider.service import Service, read_service
from fhir_gateway.rest.access import Access, concerns
from fhir_gateway.rest.problem import (
    BAD_REQUEST,
    CONFLICT,
    UNPROCESSABLE,
    Problem,
)
from fhir_gateway.rest.registry import Answer, Call
from fhir_gateway.store import services
from fhir_gateway.store.database import Transaction


class Keep(Protocol):
    """Records a call in the transaction that does it (auditor.Auditor.keep)."""

    def __call__(self, tx: Transaction, call: Call, status: int, resource: Resource | None) -> None:
        """Record it."""


def keep_nothing(tx: Transaction, call: Call, status: int, resource: Resource | None) -> None:
    """The Keep of an API without an audit."""
    del tx, call, status, resource


@dataclass(frozen=True, slots=True)
class Desk:
    """`hosts`: those of subscribers that may be at private addresses and without TLS."""

    parts: Parts
    engine: Engine
    gateway_url: str
    keep: Keep = keep_nothing
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pending:
    """A write that was checked and can be done. `reference`: what it makes, where that is known
    before. `apply`: does it in a transaction, and gives what to do after the commit: the answer."""

    apply: Callable[[Transaction], Callable[[], Answer]]
    reference: str = ""


#: Checks a write without doing anything. Raises Problem.
Prepare = Callable[[Call], Pending]


def run(desk: Desk, pending: Pending) -> Answer:
    """Do one write in a transaction of its own."""
    return run_all(desk, [pending])[0]


def run_all(desk: Desk, pending: list[Pending]) -> list[Answer]:
    """Do writes in one transaction: all or none. Who meets another that writes the same at the same
    moment tries once more, and finds it there."""
    for last in (False, True):
        try:
            with desk.parts.database.transaction() as tx:
                endings = [one.apply(tx) for one in pending]
            return [end() for end in endings]
        except IntegrityError:
            if last:
                raise Problem(
                    CONFLICT, "conflict", "Another request writes the same: try again."
                ) from None
    raise AssertionError("unreachable")


def checked(call: Call, resource_type: str) -> Resource:
    """The resource that was sent, valid by its structure. Raises Problem: 400 for another type,
    422 with every issue."""
    resource = call.resource or {}
    if resource.get("resourceType") != resource_type:
        raise Problem(BAD_REQUEST, "invalid", f"The body must be a {resource_type}.")
    refuse_errors(check.problems(resource))
    return resource


def refuse_errors(issues: list[Resource]) -> None:
    """Raises Problem (422) with these issues when one of them is an error."""
    if any(one["severity"] in ("error", "fatal") for one in issues):
        raise Problem(UNPROCESSABLE, "", "invalid", issues=issues)


def unprocessable(code: str, text: str, expression: str) -> Problem:
    """A 422 about one element."""
    return Problem(
        UNPROCESSABLE, "", text, issues=[issue("error", code, text, expression=[expression])]
    )


def served_services(tx: Transaction, access: Access) -> Iterator[Service]:
    """The services that a client works for."""
    for slug in services.slugs(tx):
        bundle = services.find(tx, slug)
        if bundle is not None and access.sees(services.provider_of(tx, slug)):
            yield read_service(bundle)


def told(call: Call, service: Service) -> None:
    """Say for the audit whose data a call is about."""
    concerns(call.request, {service.ods_code})


@contextmanager
def reading(desk: Desk) -> Iterator[Transaction]:
    """A transaction that only reads."""
    with desk.parts.database.reading() as tx:
        yield tx
