"""Running a search on the index: conditions become SQL, matches come back with their includes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fhir_gateway.fhir.search.escaping import split, unescape
from fhir_gateway.fhir.search.parameter import Kind, Parameter
from fhir_gateway.fhir.search.values import identifier_of
from fhir_gateway.sandbox.epr import moments
from fhir_gateway.sandbox.epr.faults import BAD_REQUEST, PRECONDITION_FAILED, fault
from fhir_gateway.sandbox.epr.indexing import fold
from fhir_gateway.sandbox.epr.parameters import TYPES
from fhir_gateway.sandbox.epr.query import Condition, Include, Query
from fhir_gateway.sandbox.epr.references import Key, local_key
from fhir_gateway.sandbox.epr.session import Session, Version

#: SQL, and its arguments.
Clause = tuple[str, list[Any]]

_PREFIXED = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?(\d.*)")
#: https://hl7.org/fhir/R4/search.html#prefix; `:low` and `:high` are the span that was asked for.
_COMPARISONS = {
    "eq": "(low >= :low AND high <= :high)",
    "ne": "NOT (low >= :low AND high <= :high)",
    "gt": "high > :high",
    "lt": "low < :low",
    "ge": "(high > :high OR (low >= :low AND high <= :high))",
    "le": "(low < :low OR (low >= :low AND high <= :high))",
    "sa": "low >= :high",
    "eb": "high <= :low",
}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search's result. `total` counts all matches, `included` no match twice."""

    query: Query
    total: int
    matches: list[Version]
    included: list[Version]


def run(session: Session, query: Query) -> Page:
    """Search. Raises Fault (400) for values that a parameter cannot have."""
    where, arguments = _where(query)
    ((total,),) = session.select(
        f"SELECT count(*) FROM live WHERE {where}",  # noqa: S608 - built of fixed parts
        arguments,
    )
    order, order_arguments = _order(query)
    found = session.select(
        f"SELECT type, id FROM live WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?",  # noqa: S608
        [*arguments, *order_arguments, query.count, query.offset],
    )
    keys = [Key(*row) for row in found]
    included: dict[Key, None] = {}
    for include in query.includes:
        included.update(dict.fromkeys(_included(session, keys, include)))
    extra = [key for key in included if key not in set(keys)]
    return Page(query, total, session.resources(keys), session.resources(extra))


def only_match(session: Session, query: Query) -> Key | None:
    """The one resource that criteria select, or None for none.

    Raises Fault (412) for more than one (https://hl7.org/fhir/R4/http.html#ccreate).
    """
    where, arguments = _where(query)
    found = session.select(
        f"SELECT type, id FROM live WHERE {where} LIMIT 2",  # noqa: S608 - built of fixed parts
        arguments,
    )
    if len(found) > 1:
        raise fault(
            PRECONDITION_FAILED, "multiple-matches", "The criteria match more than one resource."
        )
    return Key(*found[0]) if found else None


def _where(query: Query) -> Clause:
    clauses, arguments = ["type = ?"], [query.resource_type]
    for condition in query.conditions:
        sql, more = _condition(query.resource_type, condition)
        clauses.append(sql)
        arguments.extend(more)
    return " AND ".join(clauses), arguments


def _condition(resource_type: str, condition: Condition) -> Clause:
    name = condition.parameter.name
    chosen = "SELECT id FROM search_value WHERE type = ? AND parameter = ?"
    if condition.modifier == "missing":
        return _missing(resource_type, condition, chosen)
    if condition.modifier == "identifier":
        name = identifier_of(name)
    clauses: list[str] = []
    arguments: list[Any] = [resource_type, name]
    for value in condition.values:
        sql, more = _value(condition, value)
        clauses.append(sql)
        arguments.extend(more)
    return f"id IN ({chosen} AND ({' OR '.join(clauses)}))", arguments


def _missing(resource_type: str, condition: Condition, chosen: str) -> Clause:
    name = condition.parameter.name
    if condition.values not in (("true",), ("false",)):
        raise fault(BAD_REQUEST, "value", f"'{name}:missing' is either true or false.")
    negation = "NOT " if condition.values == ("true",) else ""
    names = [name, identifier_of(name)]
    sql = chosen.replace("parameter = ?", "parameter IN (?, ?)")
    return f"id {negation}IN ({sql})", [resource_type, *names]


def _value(condition: Condition, value: str) -> Clause:
    if condition.modifier == "identifier":
        return _token(value)
    match condition.parameter.kind:
        case Kind.TOKEN:
            return _token(value)
        case Kind.STRING:
            start = fold(unescape(value))
            return "substr(value, 1, ?) = ?", [len(start), start]
        case Kind.DATE:
            return _date(condition.parameter, value)
        case Kind.REFERENCE:
            return _reference(condition, unescape(value))
        case Kind.CANONICAL | Kind.URI:
            url, bar, version = unescape(value).partition("|")
            return ("(value = ? AND system = ?)", [url, version]) if bar else ("value = ?", [url])


def _token(value: str) -> Clause:
    """`code`, `system|code`, `|code` (no system) or `system|` (any code of it)."""
    parts = [unescape(part) for part in split(value, "|")]
    if len(parts) == 1:
        return "value = ?", [parts[0]]
    if len(parts) > 2:  # noqa: PLR2004 - a system and a code
        raise fault(BAD_REQUEST, "value", "A token has at most one unescaped '|'.")
    system, code = parts
    if not code:
        return "system = ?", [system]
    return "(system = ? AND value = ?)", [system, code]


def _date(parameter: Parameter, value: str) -> Clause:
    match = _PREFIXED.fullmatch(value)
    span = moments.span(match[2]) if match else None
    comparison = _COMPARISONS.get((match[1] or "eq") if match else "")
    if span is None or comparison is None:
        raise fault(
            BAD_REQUEST, "value", f"'{parameter.name}' needs a date, with a supported prefix."
        )
    names = re.findall(r":(low|high)", comparison)
    return re.sub(r":(low|high)", "?", comparison), [getattr(span, name) for name in names]


def _reference(condition: Condition, value: str) -> Clause:
    """An id of any type, `Type/id`, or the URL of something on another server."""
    if condition.modifier:
        return "(system = ? AND value = ?)", [condition.modifier, value.rpartition("/")[2]]
    key = local_key(value)
    if key:
        return "(system = ? AND value = ?)", list(key)
    return "value = ?", [value]


def _order(query: Query) -> Clause:
    """The sort that was asked for, then newest first."""
    parts, arguments = [], []
    for parameter, descending in query.sort:
        column = "low" if parameter.kind is Kind.DATE else "value"
        pick, direction = ("max", "DESC") if descending else ("min", "ASC")
        parts.append(
            f"(SELECT {pick}({column}) FROM search_value v WHERE v.type = live.type"  # noqa: S608
            f" AND v.id = live.id AND v.parameter = ?) {direction} NULLS LAST"
        )
        arguments.append(parameter.name)
    return ", ".join([*parts, "first DESC"]), arguments


def _included(session: Session, keys: Sequence[Key], include: Include) -> list[Key]:
    near, far = ("type = ? AND id = ?", "system, value")
    if include.reverse:
        near, far = ("system = ? AND value = ? AND type = ?", "type, id")
    names = [include.parameter]
    if include.parameter == "*":
        names = [p.name for p in TYPES[include.source].values() if p.kind is Kind.REFERENCE]
    found: list[Key] = []
    for key in keys:
        source = [include.source] if include.reverse else []
        rows = session.select(
            f"SELECT DISTINCT {far} FROM search_value WHERE {near} AND system != ''"  # noqa: S608
            f" AND parameter IN ({', '.join('?' * len(names))})",
            [*key, *source, *names],
        )
        found.extend(Key(*row) for row in rows)
    if include.target and not include.reverse:
        found = [key for key in found if key.type == include.target]
    return found
