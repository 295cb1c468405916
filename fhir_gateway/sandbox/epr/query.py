"""Reading a FHIR search: what is looked for, and how the answer is to be laid out.

https://hl7.org/fhir/R4/search.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from fhir_gateway.fhir.search.escaping import split
from fhir_gateway.fhir.search.parameter import Kind, Parameter
from fhir_gateway.sandbox.epr.faults import BAD_REQUEST, PRECONDITION_FAILED, fault
from fhir_gateway.sandbox.epr.parameters import TYPES

DEFAULT_COUNT = 50
MAX_COUNT = 200
#: Bound on the values of one search, far above any real one and below SQLite's.
MAX_VALUES = 500
_MAX_OFFSET = 10**9

#: Parameters about the answer as such, which every interaction understands.
GENERAL = ("_format", "_pretty")
_INCLUDE = re.compile(r"([A-Za-z]+):([A-Za-z_-]+|\*)(?::([A-Za-z]+))?")

#: Name and value of each parameter, in order, as sent.
Pairs = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Condition:
    """One parameter of the search: any of `values` will do. Values are still escaped."""

    parameter: Parameter
    modifier: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Include:
    """`_include` or, when `reverse`, `_revinclude`. `parameter` `*` means all references."""

    source: str
    parameter: str
    target: str
    reverse: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A search, read. `used` are the parameters that were understood, for the self link."""

    resource_type: str
    conditions: tuple[Condition, ...] = ()
    sort: tuple[tuple[Parameter, bool], ...] = ()
    includes: tuple[Include, ...] = ()
    count: int = DEFAULT_COUNT
    offset: int = 0
    used: tuple[tuple[str, str], ...] = ()


def read_query(resource_type: str, pairs: Pairs, *, strict: bool, base: str = "") -> Query:
    """Read a search. Parameters that are not known are left out, or refused when `strict`.

    `base`: the server's own address, by which references may be given too.

    Raises Fault (400): unknown parameters, modifiers that are not supported (the specification
    wants these refused always), and malformed values.
    """
    reader = _Reader(resource_type, strict=strict, base=base)
    for name, value in pairs:
        if reader.read(name, value):
            reader.used.append((name, value))
    if sum(len(condition.values) for condition in reader.conditions) > MAX_VALUES:
        raise fault(BAD_REQUEST, "too-costly", f"A search has at most {MAX_VALUES} values.")
    return Query(
        resource_type,
        tuple(reader.conditions),
        tuple(reader.sort),
        tuple(reader.includes),
        reader.count,
        reader.offset,
        tuple(reader.used),
    )


def read_criteria(resource_type: str, criteria: Pairs) -> Query:
    """Read the criteria of a conditional create or reference: search parameters only.

    What is not understood is refused, since leaving it out would match other resources. Raises
    Fault: 400, or 412 when the criteria select nothing
    (https://hl7.org/fhir/R4/http.html#ccreate).
    """
    query = read_query(resource_type, criteria, strict=True)
    if any(name.partition(":")[0] in _RESULT_PARAMETERS for name, _ in query.used):
        raise fault(BAD_REQUEST, "invalid", "Criteria have search parameters only.")
    if not query.conditions:
        raise fault(PRECONDITION_FAILED, "required", "The criteria select nothing: they are empty.")
    return query


_RESULT_PARAMETERS = frozenset(
    {"_count", "_offset", "_sort", "_include", "_revinclude", *GENERAL},
)


class _Reader:
    """Collects what the parameters ask for; each `read` answers whether it understood."""

    def __init__(self, resource_type: str, *, strict: bool, base: str) -> None:
        self.strict = strict
        self.base = base
        self.resource_type = resource_type
        self.conditions: list[Condition] = []
        self.sort: list[tuple[Parameter, bool]] = []
        self.includes: list[Include] = []
        self.used: list[tuple[str, str]] = []
        self.count = DEFAULT_COUNT
        self.offset = 0

    def read(self, name: str, value: str) -> bool:
        if name in GENERAL:
            return True
        if name == "_count":
            self.count = min(_number(name, value, MAX_COUNT), MAX_COUNT)
        elif name == "_offset":
            self.offset = _number(name, value, _MAX_OFFSET)
        elif name == "_sort":
            return self._read_sort(value)
        elif name in ("_include", "_revinclude"):
            return self._read_include(name, value)
        else:
            return self._read_condition(name, value)
        return True

    def _read_condition(self, name: str, value: str) -> bool:
        base, _, modifier = name.partition(":")
        parameter = TYPES[self.resource_type].get(base)
        if parameter is None:
            return self._unknown(f"{self.resource_type} has no search parameter '{base}' here.")
        if modifier and not _fits(parameter, modifier):
            raise fault(BAD_REQUEST, "not-supported", f"'{base}' has no such modifier here.")
        if self.base and parameter.kind is Kind.REFERENCE:
            value = value.replace(f"{self.base}/", "")
        values = tuple(part for part in split(value, ",") if part)
        if not values:
            # https://hl7.org/fhir/R4/search.html#combining: empty parameters are ignored.
            return self._unknown(f"The search parameter '{base}' has no value.")
        self.conditions.append(Condition(parameter, modifier, values))
        return True

    def _read_sort(self, value: str) -> bool:
        known = True
        for key in value.split(","):
            parameter = TYPES[self.resource_type].get(key.removeprefix("-"))
            if parameter is None:
                known = self._unknown(f"{self.resource_type} cannot be sorted by this.")
            else:
                self.sort.append((parameter, key.startswith("-")))
        return known

    def _read_include(self, name: str, value: str) -> bool:
        match = _INCLUDE.fullmatch(value)
        if match is None or match[1] not in TYPES or not _is_reference(match[1], match[2]):
            return self._unknown(f"'{name}' names no reference parameter of this server.")
        if name == "_include" and match[1] != self.resource_type:
            return self._unknown(f"'{name}' names a type that is not searched for.")
        self.includes.append(Include(match[1], match[2], match[3] or "", name == "_revinclude"))
        return True

    def _unknown(self, diagnostics: str) -> bool:
        if self.strict:
            raise fault(BAD_REQUEST, "not-supported", diagnostics)
        return False


def _is_reference(resource_type: str, name: str) -> bool:
    parameter = TYPES[resource_type].get(name)
    return name == "*" or (parameter is not None and parameter.kind is Kind.REFERENCE)


def _fits(parameter: Parameter, modifier: str) -> bool:
    """`:missing` on all but the built-in ones; `:identifier` and `:[type]` on references."""
    if modifier == "missing":
        return not parameter.name.startswith("_")
    return parameter.kind is Kind.REFERENCE and (modifier == "identifier" or modifier in TYPES)


def _number(name: str, value: str, most: int) -> int:
    """A whole number; more than `most` (or than reason) is as good as `most`."""
    if not (value.isascii() and value.isdigit()):
        raise fault(BAD_REQUEST, "value", f"'{name}' must be a whole number.")
    return int(value) if len(value) <= len(str(_MAX_OFFSET)) else most
