"""Read, vread, history and search of what the gateway keeps, for those who may see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from fhir_gateway.fhir.search.parameters import TYPES, includes, reverse_includes
from fhir_gateway.fhir.search.query import Condition, Query, SearchRefused
from fhir_gateway.fhir.search.reading import Reading, read_query
from fhir_gateway.fhir.types import Resource
from fhir_gateway.rest import audit_events, history, searchset
from fhir_gateway.rest import cursor as cursors
from fhir_gateway.rest.access import Access, concerns
from fhir_gateway.rest.conditions import preferences, version_headers
from fhir_gateway.rest.cursor import Cursor
from fhir_gateway.rest.documentation import of_parameter
from fhir_gateway.rest.problem import BAD_REQUEST, FORBIDDEN, GONE, NOT_FOUND, Problem, not_found
from fhir_gateway.rest.registry import Answer, Call, Interaction, Parameter, Registry
from fhir_gateway.store import resource_links, resources, search
from fhir_gateway.store.database import Database, Transaction
from fhir_gateway.store.resources import Visible, macs_of

#: What is published to everybody: no token is needed to read it.
PUBLIC_TYPES = frozenset({"CodeSystem", "Questionnaire", "StructureDefinition", "ValueSet"})
_DECLARED = {
    "versioning": "versioned",
    "readHistory": True,
    "referencePolicy": ["literal", "logical", "local"],
}


def register(registry: Registry, database: Database, clock: Callable[[], datetime]) -> None:
    """Serve all types that are kept."""
    reader = StoredResources(database, clock)
    for name, parameters in TYPES.items():
        if name == audit_events.TYPE:
            continue  # kept apart, where nothing is changed
        handlers = {
            Interaction.READ: reader.read,
            Interaction.VREAD: reader.vread,
            Interaction.HISTORY_INSTANCE: reader.history,
            Interaction.HISTORY_TYPE: reader.history,
            Interaction.SEARCH: reader.search,
        }
        served = registry.offer(name, handlers, public=name in PUBLIC_TYPES)
        served.parameters.update(
            {
                p.name: Parameter(p.name, p.kind.declared, documentation=of_parameter(p))
                for p in parameters.values()
            }
        )
        served.includes = tuple(includes(name))
        served.reverse_includes = tuple(reverse_includes(name))
        served.declared.update(_DECLARED)


def visible_to(access: Access) -> Visible:
    """What a client may see, as the store takes it."""
    return Visible(None) if access.sees_all else Visible(access.providers)


def may_see(access: Access, resource_type: str) -> bool:
    """Whether a client may be shown resources of a type that come along with others."""
    return resource_type in PUBLIC_TYPES or access.may(resource_type, "r")


def reading_of(call: Call, tx: Transaction, now: datetime) -> Reading:
    """What reading the parameters of a call needs."""
    return Reading(macs_of(tx.sealer), now, call.base_url)


def refused(error: SearchRefused) -> Problem:
    """A search that cannot be run, as an answer."""
    return Problem(BAD_REQUEST, error.issue, str(error))


@dataclass(frozen=True, slots=True)
class StoredResources:
    """The handlers."""

    database: Database
    clock: Callable[[], datetime]

    def read(self, call: Call) -> Answer:
        """The current version."""
        with self.database.reading() as tx:
            found = resources.read(tx, call.resource_type, call.id, visible_to(call.access))
        if found is None:
            raise not_found(call.resource_type)
        concerns(call.request, [found.provider])
        return _answer(call, found.resource)

    def vread(self, call: Call) -> Answer:
        """One version."""
        number = int(call.version) if call.version.isdecimal() and len(call.version) < 10 else 0  # noqa: PLR2004
        with self.database.reading() as tx:
            found = resource_links.versions(
                tx,
                call.resource_type,
                visible_to(call.access),
                resource_id=call.id,
                version=number,
                limit=1,
            )
        if not found:
            text = f"There is no {call.resource_type} with this id, or no such version of it."
            raise Problem(NOT_FOUND, "not-found", text)
        concerns(call.request, [found[0].provider])
        return _answer(call, found[0].resource)

    def history(self, call: Call) -> Answer:
        """Versions of a resource, or of a type, newest first."""
        with self.database.reading() as tx:
            return Answer(history.page(tx, call, visible_to(call.access), now=self.clock()))

    def search(self, call: Call) -> Answer:
        """A page of a search."""
        now = self.clock()
        access, here = call.access, call.resource_type
        with self.database.reading() as tx:
            pairs = list(call.parameters)
            words = [value for name, value in pairs if name == cursors.NAME]
            page = Cursor(here, access.client_id, tuple(pairs))
            if words:
                page = cursors.opened(
                    words[0], tx.sealer, at=here, client_id=access.client_id, now=now
                )
            query = self._query(tx, call, page, now)
            found = search.run(tx, query, visible_to(access), after=page.after)
            more, whole = resource_links.included(
                tx, found.matches, query.includes, visible_to(access)
            )
            concerns(call.request, (s.provider for s in (*found.matches, *more)))
            return Answer(
                searchset.bundle(
                    searchset.Result(query, found, more, whole),
                    replace(page, pairs=query.used),
                    base_url=call.base_url,
                    shown=lambda name: may_see(access, name),
                    seal=lambda c: cursors.sealed(c, tx.sealer, now=now),
                )
            )

    def _query(self, tx: Transaction, call: Call, page: Cursor, now: datetime) -> Query:
        strict = preferences(call.request).strict
        try:
            query = read_query(
                call.resource_type, page.pairs, reading_of(call, tx, now), strict=strict
            )
        except SearchRefused as error:
            raise refused(error) from None
        conditions = tuple(_permitted(call.access, one) for one in query.conditions)
        query = replace(query, conditions=conditions)
        if dict(page.pairs).get("_summary") == "count":
            query = replace(query, count=0)
        return query


def _permitted(access: Access, condition: Condition) -> Condition:
    """A chain tells about resources of other types: it goes through those alone that the client may
    read. Raises Problem (403) when there are none."""
    if not condition.chain:
        return condition
    chain = tuple(
        (name, _permitted(access, inner))
        for name, inner in condition.chain
        if may_see(access, name)
    )
    if not chain:
        name = condition.chain[0][0]
        raise Problem(FORBIDDEN, "forbidden", f"The token has no scope to read {name}.")
    return replace(condition, chain=chain)


def _answer(call: Call, resource: Resource | None) -> Answer:
    if resource is None:
        raise Problem(GONE, "deleted", f"This {call.resource_type} was deleted.")
    return Answer(resource, headers=version_headers(resource))
