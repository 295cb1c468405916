"""A FHIR search as values: what is looked for, and how the answer is laid out.

https://hl7.org/fhir/R4/search.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from fhir_gateway.errors import Refused
from fhir_gateway.fhir.search.parameter import Parameter


class SearchRefused(Refused):
    """A search that cannot be run; `issue` is a code of issue-type. The message has no value."""

    def __init__(self, message: str, issue: str = "value") -> None:
        super().__init__(message, code="search-refused")
        self.issue = issue


class Op(StrEnum):
    """How one value is compared with the rows of the index."""

    #: `value`, and `system` where it is not None.
    EQUALS = "equals"
    #: Any value of `system`.
    SYSTEM = "system"
    #: Any of `values`, and `system` where it is not None.
    ONE_OF = "one-of"
    STARTS = "starts"
    CONTAINS = "contains"
    #: A string as it was written.
    EXACT = "exact"
    #: The words for a code begin with `value`.
    TEXT = "text"
    #: A uri that `value` is the beginning of, or that is a beginning of `value`.
    BELOW = "below"
    ABOVE = "above"
    #: A span of time, by the prefix in `system`: `low` until before `high`.
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One value of a condition."""

    op: Op
    value: str = ""
    system: str | None = None
    values: frozenset[str] = frozenset()
    low: str = ""
    high: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """One parameter of a search: any of `comparisons` will do.

    `names`: the names in the index. `negated`: none of the comparisons may hold (`:not`).
    `missing`: of `:missing`, else None. `chain`: for a chained parameter, what its target must be,
    by type. `reverse`: of `_has`: `chain` is what must refer here by the parameter, which is its.
    """

    parameter: Parameter
    names: tuple[str, ...]
    comparisons: tuple[Comparison, ...] = ()
    negated: bool = False
    missing: bool | None = None
    chain: tuple[tuple[str, Condition], ...] = ()
    reverse: bool = False

    @property
    def personal(self) -> bool:
        """Whether its values tell who somebody is."""
        return (
            self.parameter.personal
            or any(name.endswith("identifier") for name in self.names)
            or any(inner.personal for _, inner in self.chain)
        )


@dataclass(frozen=True, slots=True)
class Include:
    """`_include` or, when `reverse`, `_revinclude`. `parameter` `*` means all references."""

    source: str
    parameter: str
    target: str = ""
    reverse: bool = False
    iterate: bool = False


@dataclass(frozen=True, slots=True)
class Sort:
    """One key of `_sort`."""

    parameter: Parameter
    descending: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A search that was read. `used`: the parameters that were understood, for the self link.
    `warnings`: what was passed over. `total`: none, accurate, estimate or '' for the default."""

    resource_type: str
    conditions: tuple[Condition, ...] = ()
    sort: tuple[Sort, ...] = ()
    includes: tuple[Include, ...] = ()
    count: int = 0
    total: str = ""
    used: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = field(default=())

    @property
    def personal(self) -> bool:
        """Whether its parameters tell who somebody is, and must be in no URL."""
        return any(condition.personal for condition in self.conditions)
