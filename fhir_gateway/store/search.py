"""Running a search on the index: conditions become SQL. Every statement is limited to what its
client may see (resources.Visible), whichever way it gets to a resource."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, literal, not_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from fhir_gateway.fhir.search.parameter import Kind
from fhir_gateway.fhir.search.query import Comparison, Condition, Op, Query, Sort
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.resource_tables import ResourceRow, SearchValueRow
from fhir_gateway.store.resources import MAX_PAGE_BYTES, Stored, Visible, fitting, load

#: So many matches are counted when nobody asked for a total.
COUNTED = 10_000
#: Stands for no value in a sort; behind every text, since it is no character.
_LAST = "\uffff"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ends: the values that the last match was sorted by, and its sequence."""

    keys: tuple[str, ...]
    sequence: int


@dataclass(frozen=True, slots=True)
class Page:
    """One page of matches. `after`: where the next one begins; None: there is no other.
    `total`: of all matches; None: not counted, or more than were counted."""

    matches: list[Stored]
    after: Position | None
    total: int | None


def run(tx: Transaction, query: Query, visible: Visible, *, after: Position | None = None) -> Page:
    """A page of a search. Matches come newest first, unless sorted; a page after another has what
    follows it in that order, whatever arrived in between."""
    matching = _matching(query, visible)
    if query.count == 0:
        return Page([], None, _total(tx, query, matching))
    keys = [_sort_key(sort).label(f"key{i}") for i, sort in enumerate(query.sort)]
    inner = select(ResourceRow.sequence.label("sequence"), *keys).where(*matching).subquery()
    statement = select(*inner.c)
    if after is not None:
        statement = statement.where(_behind(inner, query.sort, after))
    order = [
        inner.c[f"key{i}"].desc() if sort.descending else inner.c[f"key{i}"]
        for i, sort in enumerate(query.sort)
    ]
    statement = statement.order_by(*order, inner.c.sequence.desc()).limit(query.count + 1)
    found = tx.session.execute(statement).all()
    fits = fitting(tx, [row[0] for row in found[: query.count]], MAX_PAGE_BYTES)
    page = found[: len(fits)]
    more = len(found) > len(page)
    last = Position(tuple(map(_text, page[-1][1:])), page[-1][0]) if more else None
    # What fits on the first page is counted already.
    first_and_only = after is None and not more and query.total != "none"
    total = len(found) if first_and_only else _total(tx, query, matching)
    return Page(load(tx, fits), last, total)


def only_matches(tx: Transaction, query: Query, visible: Visible) -> list[Stored]:
    """At most two matches: enough to tell none, one and several apart (conditional create)."""
    statement = select(ResourceRow.sequence).where(*_matching(query, visible)).limit(2)
    return load(tx, list(tx.session.scalars(statement)))


def _total(tx: Transaction, query: Query, matching: list[ColumnElement[bool]]) -> int | None:
    if query.total == "none" and query.count:
        return None
    counted: Select[Any] = select(literal(1)).select_from(ResourceRow).where(*matching)
    exact = query.total in ("accurate", "estimate") or not query.count
    if not exact:
        counted = counted.limit(COUNTED + 1)
    total = tx.session.scalar(select(func.count()).select_from(counted.subquery())) or 0
    return total if exact or total <= COUNTED else None


def _matching(query: Query, visible: Visible) -> list[ColumnElement[bool]]:
    return [
        ResourceRow.type == query.resource_type,
        ResourceRow.deleted.is_(False),
        visible.clause(),
        *(_condition(c, query.resource_type, ResourceRow, visible) for c in query.conditions),
    ]


def _condition(
    condition: Condition, resource_type: str, row: Any, visible: Visible
) -> ColumnElement[bool]:
    """What a condition asks of a row of `resource` (or an alias of it)."""
    name = condition.parameter.name
    if name in ("_id", "_lastUpdated") and not condition.chain:
        compare = _of_id if name == "_id" else _of_updated
        return or_(false(), *(compare(c, row) for c in condition.comparisons))
    if condition.reverse:
        return _referred_to(condition, resource_type, row, visible)
    value = aliased(SearchValueRow)
    base = select(value.sequence).where(
        value.type == resource_type,
        value.parameter.in_(condition.names),
        visible.clause(value),
    )
    if condition.chain:
        base = base.where(_chained(condition, value, visible))
    elif condition.missing is None:
        base = base.where(or_(*(_compare(c, value) for c in condition.comparisons)))
    found: ColumnElement[bool] = row.sequence.in_(base)
    return not_(found) if condition.negated or condition.missing else found


def _chained(condition: Condition, value: Any, visible: Visible) -> ColumnElement[bool]:
    options = []
    for kind, inner in condition.chain:
        target = aliased(ResourceRow)
        wanted = select(target.id).where(
            target.type == kind,
            target.deleted.is_(False),
            visible.clause(target),
            _condition(inner, kind, target, visible),
        )
        options.append(and_(value.system == kind, value.value.in_(wanted)))
    return or_(*options)


def _referred_to(
    condition: Condition, resource_type: str, row: Any, visible: Visible
) -> ColumnElement[bool]:
    """`_has`: what resources that are as the chain says refer to."""
    options = []
    for kind, inner in condition.chain:
        value, source = aliased(SearchValueRow), aliased(ResourceRow)
        referring = (
            select(value.value)
            .join(source, source.sequence == value.sequence)
            .where(
                value.type == kind,
                value.parameter.in_(condition.names),
                value.system == resource_type,
                visible.clause(value),
                source.deleted.is_(False),
                _condition(inner, kind, source, visible),
            )
        )
        options.append(row.id.in_(referring))
    return or_(false(), *options)


def _of_id(comparison: Comparison, row: Any) -> ColumnElement[bool]:
    matches: ColumnElement[bool] = row.id == comparison.value
    return matches if comparison.op is Op.EQUALS and not comparison.system else false()


def _of_updated(comparison: Comparison, row: Any) -> ColumnElement[bool]:
    low, high = datetime.fromisoformat(comparison.low), datetime.fromisoformat(comparison.high)
    at = row.updated_at
    within = and_(at >= low, at < high)
    options: dict[str, ColumnElement[bool]] = {
        "eq": within,
        "ap": within,
        "ne": not_(within),
        "gt": at >= high,
        "sa": at >= high,
        "ge": at >= low,
        "lt": at < low,
        "eb": at < low,
        "le": at < high,
    }
    return options[comparison.system or "eq"]


def _compare(comparison: Comparison, row: type[SearchValueRow]) -> ColumnElement[bool]:
    """One comparison with a row of the index."""
    value = comparison.value
    match comparison.op:
        case Op.SYSTEM:
            return row.system == comparison.system
        case Op.EQUALS:
            return _in_system(row.value == value, comparison, row)
        case Op.ONE_OF:
            return _in_system(row.value.in_(sorted(comparison.values)), comparison, row)
        case Op.STARTS | Op.BELOW:
            return _begins(row.value, value)
        case Op.TEXT:
            return _begins(row.text, value)
        case Op.CONTAINS:
            return row.value.contains(value, autoescape=True)
        case Op.EXACT:
            return row.system == value
        case Op.ABOVE:
            return and_(row.value != "", func.substr(value, 1, func.length(row.value)) == row.value)
        case Op.DATE:
            return _of_span(comparison, row)


def _in_system(
    matches: ColumnElement[bool], comparison: Comparison, row: type[SearchValueRow]
) -> ColumnElement[bool]:
    if comparison.system is None:
        return matches
    return and_(matches, row.system == comparison.system)


def _begins(column: InstrumentedAttribute[str], start: str) -> ColumnElement[bool]:
    """Whether a text begins so, as a range that an index knows; texts compare byte by byte."""
    if not start:
        return not_(column == "")
    return and_(column >= start, column < start + "\U0010ffff")


def _of_span(comparison: Comparison, row: Any) -> ColumnElement[bool]:
    """https://hl7.org/fhir/R4/search.html#prefix, for spans of time."""
    low, high = comparison.low, comparison.high
    dated = row.low != ""
    within = and_(row.low >= low, row.high <= high)
    overlaps = and_(row.low < high, row.high > low)
    options: dict[str, ColumnElement[bool]] = {
        "eq": within,
        "ne": not_(within),
        "gt": row.high > high,
        "lt": and_(row.low < low, dated),
        "ge": or_(row.high > high, within),
        "le": or_(and_(row.low < low, dated), within),
        "sa": row.low >= high,
        "eb": and_(row.high <= low, dated),
        "ap": overlaps,
    }
    return options[comparison.system or "eq"]


def _sort_key(sort: Sort) -> ColumnElement[str]:
    """The lowest (or, descending, the highest) value of a parameter; resources without one are
    last either way."""
    name = sort.parameter.name
    if name == "_lastUpdated":
        return ResourceRow.updated_at  # type: ignore[return-value]
    if name == "_id":
        return ResourceRow.id  # type: ignore[return-value]
    value = aliased(SearchValueRow)
    column = value.low if sort.parameter.kind is Kind.DATE else value.value
    pick = func.max(column) if sort.descending else func.min(column)
    chosen = (
        select(pick)
        .where(
            value.sequence == ResourceRow.sequence,
            value.parameter.in_((name, *sort.parameter.others)),
        )
        .scalar_subquery()
    )
    return func.coalesce(chosen, "" if sort.descending else _LAST)


def _text(key: Any) -> str:
    return key.isoformat() if isinstance(key, datetime) else str(key)


def _behind(inner: Any, sorts: Sequence[Sort], after: Position) -> ColumnElement[bool]:
    """What comes after a position, in the order of the sorts."""
    options = []
    equal: list[ColumnElement[bool]] = []
    for index, (sort, key) in enumerate(zip(sorts, after.keys, strict=True)):
        column = inner.c[f"key{index}"]
        given: Any = datetime.fromisoformat(key) if sort.parameter.name == "_lastUpdated" else key
        beyond = column < given if sort.descending else column > given
        options.append(and_(*equal, beyond))
        equal.append(column == given)
    options.append(and_(*equal, inner.c.sequence < after.sequence))
    return or_(*options)
