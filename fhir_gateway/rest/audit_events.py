"""AuditEvents as the API shows them: read and searched by providers for what concerns their data,
by administrators for all. They are kept apart from other resources, where nothing is changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from fhir_gateway.audit.codes import CLIENT, OPERATOR
from fhir_gateway.fhir.identifiers import DEVICE
from fhir_gateway.fhir.moments import span
from fhir_gateway.fhir.search.parameters import TYPES
from fhir_gateway.fhir.search.query import Condition, Query
from fhir_gateway.fhir.search.reading import (
    DEFAULT_COUNT,
    GENERAL,
    MAX_CONDITIONS,
    MAX_COUNT,
    MAX_VALUES,
)
from fhir_gateway.fhir.types import Resource
from fhir_gateway.rest import cursor as cursors
from fhir_gateway.rest import searchset
from fhir_gateway.rest.access import Access
from fhir_gateway.rest.conditions import preferences, version_headers
from fhir_gateway.rest.cursor import Cursor
from fhir_gateway.rest.problem import BAD_REQUEST, Problem, not_found
from fhir_gateway.rest.registry import Answer, Call, Interaction, Parameter, Registry
from fhir_gateway.store import audit_log
from fhir_gateway.store.database import Database, Transaction
from fhir_gateway.store.resources import Stored
from fhir_gateway.store.search import Page, Position

TYPE = "AuditEvent"
#: Parameters by equality, and where a query has them.
_LISTS = {
    "_id": "ids",
    "action": "actions",
    "type": "types",
    "subtype": "subtypes",
    "outcome": "outcomes",
}
_DATES = ("date", "_lastUpdated")
_REFERENCES = ("agent", "entity", "patient")
SEARCHED = (*_DATES, *_REFERENCES, *_LISTS)
_DATE = re.compile(r"(?P<prefix>eq|ge|le|gt|lt|sa|eb|ap)?(?P<value>\d.*)")
_REFERENCE = re.compile(r"(?:.*/)?([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/.*)?")


def register(registry: Registry, database: Database, clock: Callable[[], datetime]) -> None:
    """Serve them."""
    reader = AuditEvents(database, clock)
    served = registry.offer(
        TYPE, {Interaction.READ: reader.read, Interaction.SEARCH: reader.search}
    )
    served.parameters.update(
        {
            name: Parameter(
                name,
                TYPES[TYPE][name].kind.declared,
                documentation="Modifiers: :identifier." if name in _REFERENCES else "No modifiers.",
            )
            for name in SEARCHED
        }
    )
    served.declared["versioning"] = "no-version"


@dataclass(frozen=True, slots=True)
class AuditEvents:
    """The handlers."""

    database: Database
    clock: Callable[[], datetime]

    def read(self, call: Call) -> Answer:
        """One event."""
        with self.database.reading() as tx:
            found = audit_log.find(tx, call.id, call.access.visible)
        if found is None:
            raise not_found(TYPE)
        return Answer(found, headers=version_headers(found))

    def search(self, call: Call) -> Answer:
        """A page of a search, newest first."""
        now, access = self.clock(), call.access
        pairs = tuple(call.parameters)
        with self.database.reading() as tx:
            page = Cursor(TYPE, access.client_id, pairs)
            words = [value for name, value in pairs if name == cursors.NAME]
            if words:
                page = cursors.opened(
                    words[0], tx.sealer, at=TYPE, client_id=access.client_id, now=now
                )
            asked = read_search(page.pairs, access, strict=preferences(call.request).strict)
            result = searchset.Result(_layout(asked), _page(tx, asked, page.after), [], True)
            return Answer(
                searchset.bundle(
                    result,
                    replace(page, pairs=tuple(asked.used)),
                    base_url=call.base_url,
                    shown=lambda _: False,
                    seal=lambda c: cursors.sealed(c, tx.sealer, now=now),
                )
            )


@dataclass(slots=True)
class Search:
    """A search that was read. `personal`: whether what was asked must be in no address."""

    query: audit_log.Query
    count: int = DEFAULT_COUNT
    oldest_first: bool = False
    personal: bool = False
    used: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def read_search(pairs: Iterable[tuple[str, str]], access: Access, *, strict: bool) -> Search:
    """Read the parameters. Raises Problem (400) for values that are none, and for parameters that
    are not known when `strict`; else these are passed over with a warning."""
    search = Search(audit_log.Query(providers=access.visible))
    listed = list(pairs)
    if len(listed) > MAX_CONDITIONS:
        text = f"A search has {MAX_CONDITIONS} parameters at the most."
        raise Problem(BAD_REQUEST, "too-costly", text)
    for name, value in listed:
        if name in GENERAL:
            if name == "_summary":
                search.count = 0 if value == "count" else search.count
                search.used.append((name, value))
            continue
        if not _understood(search, name, value):
            shown = f": {name}" if re.fullmatch(r"[A-Za-z_:-]{1,40}", name) else ""
            if strict:
                raise Problem(
                    BAD_REQUEST, "not-supported", f"{TYPE} has no such search parameter{shown}."
                )
            search.warnings.append(f"{TYPE} has no such parameter{shown}. It was passed over.")
        else:
            search.used.append((name, value))
    return search


def _understood(search: Search, name: str, value: str) -> bool:
    if name == "_count":
        if not re.fullmatch(r"[0-9]{1,9}", value):
            raise Problem(BAD_REQUEST, "value", "'_count' must be a whole number.")
        search.count = min(int(value), MAX_COUNT)
    elif name == "_total":
        pass  # it is always exact
    elif name == "_sort" and value.removeprefix("-") in _DATES:
        search.oldest_first = not value.startswith("-")
    else:
        values = [part for part in value.split(",") if part]
        if len(values) > MAX_VALUES or not value.isprintable():
            text = f"A parameter has {MAX_VALUES} values at the most, without control characters."
            raise Problem(BAD_REQUEST, "value", text)
        return bool(values) and _condition(search, name, values)
    return True


def _condition(search: Search, name: str, values: list[str]) -> bool:
    query = search.query
    base, _, modifier = name.partition(":")
    if modifier and base in SEARCHED and not (base in _REFERENCES and modifier == "identifier"):
        raise Problem(BAD_REQUEST, "not-supported", f"'{base}' has no such modifier here.")
    if name in _DATES:
        if len(values) > 1:
            text = f"'{name}' takes one date; two of the parameter are from and until."
            raise Problem(BAD_REQUEST, "not-supported", text)
        search.query = _within(search.query, values[0])
    elif name in _LISTS:
        found = [value.rpartition("|")[2] for value in values]
        known = getattr(query, _LISTS[name])
        # Named twice, both must hold; "" is the code of nothing.
        both = [value for value in found if not known or value in known] or [""]
        changes: dict[str, Any] = {_LISTS[name]: both}
        search.query = replace(query, **changes)
    elif base in _REFERENCES and modifier in ("", "identifier"):
        search.personal = search.personal or base != "agent"
        search.query = _about(query, base, values, by_identifier=bool(modifier))
    else:
        return False
    return True


def _about(
    query: audit_log.Query, name: str, values: list[str], *, by_identifier: bool
) -> audit_log.Query:
    if name == "agent":
        agents = [_agent(value) for value in values]
        # Named twice, both must hold; "" is nobody.
        both = [one for one in agents if not query.agents or one in query.agents] or [""]
        return replace(query, agents=both)
    if by_identifier:
        return replace(query, about=(*query.about, values))
    known = [f"Patient/{v}" if name == "patient" and "/" not in v else v for v in values]
    matches = [_REFERENCE.fullmatch(value) for value in known]
    if not all(matches):
        raise Problem(BAD_REQUEST, "value", f"'{name}' must be a reference, such as Task/123.")
    return replace(query, about=(*query.about, [f"{m[1]}/{m[2]}" for m in matches if m]))


def _agent(value: str) -> str:
    """An agent's name from `system|value`, or the value alone."""
    system, bar, rest = value.partition("|")
    return rest if bar and system in (CLIENT, OPERATOR, DEVICE, "") else value


def _within(query: audit_log.Query, text: str) -> audit_log.Query:
    match = _DATE.fullmatch(text.replace(" ", "+"))
    found = span(match["value"]) if match else None
    if match is None or found is None:
        raise Problem(BAD_REQUEST, "value", "'date' must be a FHIR date, such as ge2026-11-25.")
    low, high = datetime.fromisoformat(found.low), datetime.fromisoformat(found.high)
    prefix = match["prefix"] or "eq"
    since = {"ge": low, "gt": high, "sa": high, "eq": low, "ap": low}.get(prefix)
    before = {"lt": low, "eb": low, "le": high, "eq": high, "ap": high}.get(prefix)
    return replace(
        query,
        since=max(filter(None, (query.since, since)), default=None),
        before=min(filter(None, (query.before, before)), default=None),
    )


def _page(tx: Transaction, asked: Search, after: Position | None) -> Page:
    total = audit_log.count(tx, asked.query)
    if asked.count == 0:
        return Page([], None, total)
    position = None
    if after is not None:
        moment, event_id = after.keys
        position = (datetime.fromisoformat(moment), event_id)
    found = audit_log.search(
        tx,
        asked.query,
        limit=asked.count + 1,
        after=position,
        oldest_first=asked.oldest_first,
    )
    shown = found[: asked.count]
    following = None
    if len(found) > asked.count:
        following = Position((shown[-1]["recorded"], shown[-1]["id"]), 0)
    return Page([_stored(event) for event in shown], following, total)


def _layout(asked: Search) -> Query:
    """The search as the kernel lays an answer out by it."""
    personal = Condition(TYPES[TYPE]["entity"], ("entity:identifier",))
    return Query(
        TYPE,
        conditions=(personal,) if asked.personal else (),
        count=asked.count,
        used=tuple(asked.used),
        warnings=tuple(asked.warnings),
    )


def _stored(event: Resource) -> Stored:
    return Stored(TYPE, event["id"], 1, datetime.fromisoformat(event["recorded"]), event, "")
