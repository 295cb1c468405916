"""Whether a code is in a value set, as far as that can be told from what is at hand.

https://hl7.org/fhir/R4/valueset.html#compositions. Other than expand() this answers for value sets
of which only parts can be listed: "yes", "no", or "cannot be told".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_gateway.fhir.terminology import NotExpandable, Resolve, expand
from fhir_gateway.fhir.types import Coding, Element, as_dict, as_list, as_str

MAX_DEPTH = 10


def contains(canonical: str, value: Any, resolve: Resolve) -> bool | None:
    """Whether a code, Coding or CodeableConcept has a code of a value set; None: cannot be told."""
    answers = [_coding_in(canonical, coding, resolve, 0) for coding in _codings(value)]
    if True in answers:
        return True
    return None if None in answers or not answers else False


def _codings(value: Any) -> Iterator[Coding]:
    if isinstance(value, str):
        yield {"code": value}
    elif "coding" in as_dict(value):
        yield from (as_dict(c) for c in as_list(value["coding"]))
    elif "code" in as_dict(value):
        yield value


def _coding_in(canonical: str, coding: Coding, resolve: Resolve, depth: int) -> bool | None:
    value_set = resolve(canonical)
    if value_set is None or depth > MAX_DEPTH:
        return None
    try:
        listed = expand(value_set, resolve)
        return any(_same(coding, each) for each in listed)
    except NotExpandable:
        pass
    compose = as_dict(value_set.get("compose"))
    answers = [
        _included(as_dict(include), coding, resolve, depth)
        for include in as_list(compose.get("include"))
    ]
    if True in answers:
        return True
    return None if None in answers or not answers else False


def _included(include: Element, coding: Coding, resolve: Resolve, depth: int) -> bool | None:
    for canonical in as_list(include.get("valueSet")):
        answer = _coding_in(as_str(canonical), coding, resolve, depth + 1)
        if answer is not False:
            return answer
    system = as_str(include.get("system"))
    if coding.get("system") not in (None, system) or not system:
        return False
    if include.get("concept"):
        return any(_same(coding, as_dict(c)) for c in as_list(include["concept"]))
    code_system = as_dict(resolve(system))
    if include.get("filter") or code_system.get("content") != "complete":
        return None
    pending = list(as_list(code_system.get("concept")))
    while pending:
        concept = as_dict(pending.pop())
        if _same(coding, concept):
            return True
        pending.extend(as_list(concept.get("concept")))
    return False


def _same(coding: Coding, listed: Element) -> bool:
    system = listed.get("system")
    return coding.get("code") == listed.get("code") and (
        system is None or coding.get("system") in (None, system)
    )
