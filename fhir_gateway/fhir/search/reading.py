"""Reading a FHIR search from the parameters of a request. Pure; says of each parameter that was
passed over why, and refuses what would answer something else than was asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from fhir_gateway.fhir.search.comparing import comparison_of
from fhir_gateway.fhir.search.escaping import split
from fhir_gateway.fhir.search.parameter import Kind, Parameter
from fhir_gateway.fhir.search.parameters import APART, TYPES
from fhir_gateway.fhir.search.query import (
    Comparison,
    Condition,
    Include,
    Query,
    SearchRefused,
    Sort,
)
from fhir_gateway.fhir.search.values import Mac, identifier_of

DEFAULT_COUNT = 50
MAX_COUNT = 500
#: Bounds, far above any real search and below those of databases.
MAX_VALUES = 500
MAX_CONDITIONS = 40
MAX_CHAIN = 3
MAX_SORT_KEYS = 5
MAX_INCLUDES = 20
MAX_WARNINGS = 20

#: About the answer as such; the kernel sees to them.
_CUTS = ("_summary", "_elements")
GENERAL = ("_format", "_pretty", *_CUTS)
_RESULT = ("_count", "_sort", "_include", "_revinclude", "_total")
_TOTALS = ("none", "accurate", "estimate")
_HAS = "_has:"
_INCLUDE = re.compile(r"([A-Za-z]+):([A-Za-z_-]+|\*)(?::([A-Za-z]+))?")
_NUMBER = re.compile(r"[0-9]{1,9}")
_MODIFIERS = {
    Kind.TOKEN: ("not", "text", "missing"),
    Kind.STRING: ("exact", "contains", "missing"),
    Kind.DATE: ("missing",),
    Kind.REFERENCE: ("identifier", "missing"),
    Kind.CANONICAL: ("missing",),
    Kind.URI: ("below", "above", "missing"),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading needs beside the parameters. `base`: the server's own address, by which
    references may be given too. `macs`: hashes that personal values may be indexed by. `now`: for
    the prefix `ap`."""

    macs: Sequence[Mac]
    now: datetime
    base: str = ""


def read_query(
    resource_type: str, pairs: Iterable[tuple[str, str]], reading: Reading, *, strict: bool = False
) -> Query:
    """Read a search. Parameters that are not known are passed over with a warning, or refused when
    `strict`. Raises SearchRefused, also for modifiers that are not served and malformed values."""
    reader = _Reader(resource_type, reading, strict=strict)
    for name, value in pairs:
        understood = name in _CUTS or (name not in GENERAL and reader.read(name, value))
        if understood:
            reader.used.append((name, value))
    bounds = (
        (len(reader.conditions), MAX_CONDITIONS, "parameters"),
        (reader.values, MAX_VALUES, "values"),
        (len(reader.sort), MAX_SORT_KEYS, "keys to sort by"),
        (len(reader.includes), MAX_INCLUDES, "includes"),
    )
    for given, most, what in bounds:
        if given > most:
            raise SearchRefused(f"A search has at most {most} {what}.", "too-costly")
    return reader.query()


def read_criteria(resource_type: str, pairs: Iterable[tuple[str, str]], reading: Reading) -> Query:
    """Read the criteria of a conditional interaction: search parameters only, all understood.

    Raises SearchRefused, also for criteria that select nothing.
    """
    listed = list(pairs)
    if any(name.partition(":")[0] in (*_RESULT, *GENERAL) for name, _ in listed):
        raise SearchRefused("Criteria have search parameters only.", "invalid")
    query = read_query(resource_type, listed, reading, strict=True)
    if not query.conditions:
        raise SearchRefused("The criteria select nothing: they are empty.", "required")
    return query


class _Reader:
    """Collects what the parameters ask for; each `read` answers whether it was understood."""

    def __init__(self, resource_type: str, reading: Reading, *, strict: bool) -> None:
        self.resource_type = resource_type
        self.reading = reading
        self.strict = strict
        self.conditions: list[Condition] = []
        self.sort: list[Sort] = []
        self.includes: list[Include] = []
        self.used: list[tuple[str, str]] = []
        self.warnings: list[str] = []
        self.count = DEFAULT_COUNT
        self.total = ""
        self.values = 0

    def query(self) -> Query:
        return Query(
            self.resource_type,
            tuple(self.conditions),
            tuple(self.sort),
            tuple(self.includes),
            self.count,
            self.total,
            tuple(self.used),
            tuple(dict.fromkeys(self.warnings))[:MAX_WARNINGS],
        )

    def read(self, name: str, value: str) -> bool:
        base, _, modifier = name.partition(":")
        if name == "_count":
            if not _NUMBER.fullmatch(value):
                raise SearchRefused("'_count' must be a whole number.")
            self.count = min(int(value), MAX_COUNT)
        elif name == "_total":
            if value not in _TOTALS:
                raise SearchRefused(f"'_total' is one of {', '.join(_TOTALS)}.")
            self.total = value
        elif name == "_sort":
            return self._read_sort(value)
        elif base in ("_include", "_revinclude") and modifier in ("", "iterate", "recurse"):
            return self._read_include(base, value, iterate=bool(modifier))
        else:
            return self._read_condition(name, value)
        return True

    def _read_condition(self, name: str, value: str) -> bool:
        values = [part for part in split(value, ",") if part]
        self.values += len(values)
        condition = self._condition(self.resource_type, name, values, depth=0)
        if condition is None:
            return False
        self.conditions.append(condition)
        return True

    def _condition(
        self, resource_type: str, name: str, values: list[str], *, depth: int
    ) -> Condition | None:
        if name.startswith(_HAS):
            return self._referred_to(resource_type, name, values, depth=depth + 1)
        head, dot, rest = name.partition(".")
        base, _, modifier = head.partition(":")
        parameter = TYPES[resource_type].get(base)
        if parameter is None:
            self._unknown(f"{resource_type} has no such search parameter here", base)
            return None
        if dot:
            return self._chain(parameter, modifier, rest, values, depth=depth + 1)
        if modifier and not _fits(parameter, modifier):
            raise SearchRefused(f"'{base}' has no such modifier here.", "not-supported")
        if not values:
            # https://hl7.org/fhir/R4/search.html#combining: empty parameters are ignored.
            self._unknown("A search parameter has no value", base)
            return None
        names = (base, *parameter.others)
        if modifier == "missing":
            return self._missing(parameter, names, values)
        if modifier == "identifier":
            names = (identifier_of(base),)
        found = [
            self._comparison(parameter, value, modifier, mac)
            for value in values
            for mac in self.reading.macs
        ]
        negated = modifier == "not"
        return Condition(parameter, names, tuple(dict.fromkeys(found)), negated=negated)

    def _comparison(self, parameter: Parameter, value: str, modifier: str, mac: Mac) -> Comparison:
        reading = self.reading
        return comparison_of(
            parameter,
            value,
            "" if modifier == "not" else modifier,
            mac=mac,
            now=reading.now,
            base=reading.base,
        )

    def _missing(
        self, parameter: Parameter, names: tuple[str, ...], values: list[str]
    ) -> Condition:
        if values not in (["true"], ["false"]):
            raise SearchRefused(f"'{parameter.name}:missing' is either true or false.")
        return Condition(
            parameter, (*names, identifier_of(parameter.name)), missing=values == ["true"]
        )

    def _chain(
        self, parameter: Parameter, kind: str, rest: str, values: list[str], *, depth: int
    ) -> Condition | None:
        if parameter.kind is not Kind.REFERENCE or depth > MAX_CHAIN:
            raise SearchRefused(
                f"'{parameter.name}' cannot be chained, or not so far.", "not-supported"
            )
        wanted = rest.partition(".")[0].partition(":")[0]
        kinds = [kind] if kind else list(parameter.targets or TYPES)
        kinds = [n for n in kinds if n in TYPES and n not in APART]
        kinds = [n for n in kinds if wanted in TYPES[n] or f"{wanted}:" == _HAS]
        if not kinds:
            self._unknown("A chain leads to no search parameter", parameter.name)
            return None
        inner = [(k, self._condition(k, rest, values, depth=depth)) for k in kinds]
        chain = tuple((k, condition) for k, condition in inner if condition is not None)
        return Condition(parameter, (parameter.name,), chain=chain) if chain else None

    def _referred_to(
        self, resource_type: str, name: str, values: list[str], *, depth: int
    ) -> Condition | None:
        """`_has:Task:patient:status`: https://hl7.org/fhir/R4/search.html#has."""
        source, _, further = name.removeprefix(_HAS).partition(":")
        by, _, rest = further.partition(":")
        found = None if source in APART else TYPES.get(source, {}).get(by)
        leads = found and (not found.targets or resource_type in found.targets)
        if found is None or found.kind is not Kind.REFERENCE or not (leads and rest):
            self._unknown("'_has' names no reference parameter here", "")
            return None
        if depth > MAX_CHAIN:
            raise SearchRefused("'_has' cannot go so far.", "not-supported")
        inner = self._condition(source, rest, values, depth=depth)
        if inner is None:
            return None
        return Condition(found, (by,), chain=((source, inner),), reverse=True)

    def _read_sort(self, value: str) -> bool:
        understood = True
        for key in value.split(","):
            name = key.removeprefix("-")
            parameter = TYPES[self.resource_type].get(name)
            if parameter is None or parameter.personal or name == "identifier":
                understood = False
                self._unknown(f"{self.resource_type} cannot be sorted by this", name)
            else:
                self.sort.append(Sort(parameter, key.startswith("-")))
        return understood

    def _read_include(self, name: str, value: str, *, iterate: bool) -> bool:
        reverse = name == "_revinclude"
        if value == "*" and not reverse:
            value = f"{self.resource_type}:*"
        match = _INCLUDE.fullmatch(value)
        if match is None or not _leads_somewhere(match[1], match[2]):
            self._unknown(f"'{name}' names no reference parameter here", "")
            return False
        if not (reverse or iterate) and match[1] != self.resource_type:
            self._unknown(f"'{name}' names a type that is not searched for", "")
            return False
        self.includes.append(Include(match[1], match[2], match[3] or "", reverse, iterate))
        return True

    def _unknown(self, message: str, name: str) -> None:
        """Passes something over. Only names that look like names are repeated."""
        shown = f": {name}" if re.fullmatch(r"[A-Za-z_-]{1,40}", name) else ""
        if self.strict:
            raise SearchRefused(f"{message}{shown}.", "not-supported")
        self.warnings.append(f"{message}{shown}. It was passed over.")


def _leads_somewhere(resource_type: str, name: str) -> bool:
    parameters = {} if resource_type in APART else TYPES.get(resource_type, {})
    if name == "*":
        return bool(parameters)
    return name in parameters and parameters[name].kind in (Kind.REFERENCE, Kind.CANONICAL)


def modifiers_of(parameter: Parameter) -> tuple[str, ...]:
    """The modifiers that a parameter takes, beside the types that a reference takes."""
    if parameter.name in ("_id", "_lastUpdated"):
        return ()
    refused = {Kind.TOKEN: "text", Kind.STRING: "contains"} if parameter.personal else {}
    known = _MODIFIERS[parameter.kind]
    return tuple(name for name in known if name != refused.get(parameter.kind))


def _fits(parameter: Parameter, modifier: str) -> bool:
    if parameter.kind is Kind.REFERENCE and modifier in TYPES:
        return True
    # Of a hashed string `contains` is refused later, with the reason.
    return modifier in modifiers_of(parameter) or (
        modifier == "contains" and parameter.kind is Kind.STRING
    )
