"""The shipped mappings and their golden examples, for tests."""

from __future__ import annotations

from functools import cache

from fhir_gateway import shipped
from fhir_gateway.fhir.types import Resource, as_str
from fhir_gateway.mapping.extraction import Extraction
from fhir_gateway.mapping.golden import run_example
from fhir_gateway.mapping.target import Example, Target
from fhir_gateway.questionnaire.catalogue import Catalogue

CASES = [
    f"{kind}-{who}-{match}"
    for kind in ("medical", "admin")
    for who in ("me", "proxy")
    for match in ("matched", "unmatched")
]
MAPPINGS = ["as-submitted", "bars-shaped", "communication-only", "document", "uk-core-transaction"]


@cache
def catalogue() -> Catalogue:
    return Catalogue(shipped.read_resources(shipped.folder("questionnaires")))


@cache
def targets() -> dict[str, Target]:
    return shipped.read_targets(shipped.folder("mappings"))


def example(mapping: str, case: str) -> Example:
    return next(e for e in targets()[mapping].examples if e.name == case)


def questionnaire_of(given: Example) -> Resource:
    return catalogue().definition(as_str(given.response.get("questionnaire"))).raw


@cache
def mapped(mapping: str, case: str) -> Extraction:
    given = example(mapping, case)
    return run_example(targets()[mapping], questionnaire_of(given), given)
