"""A Questionnaire read for extraction: what is the same for every response to it."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str
from fhir_gateway.mapping.numbers import number_types
from fhir_gateway.mapping.target import Target, all_items
from fhir_gateway.questionnaire.definition import Definition


@dataclass(frozen=True, slots=True)
class Form:
    """`definition`: its index. `used`: urls of the extensions on it and its items. `numbers`: which
    of float and Decimal it is written with."""

    definition: Definition
    used: frozenset[str]
    numbers: frozenset[type]

    @property
    def questionnaire(self) -> Resource:
        """The Questionnaire itself."""
        return self.definition.raw


@dataclass(frozen=True, slots=True)
class Prepared:
    """A target laid over a Questionnaire. `asked`: the Questionnaire as published; `form`: the
    derived one, which is extracted from. Neither is changed by what is made of them."""

    target: Target
    asked: Definition
    form: Form


def read_form(questionnaire: Resource) -> Form:
    """Read a Questionnaire once, for any number of extractions."""
    return Form(
        Definition(questionnaire),
        _extension_urls(questionnaire),
        frozenset(number_types(questionnaire)),
    )


def prepare(target: Target, asked: Definition) -> Prepared:
    """Lay a target over a Questionnaire once, for any number of requests."""
    return Prepared(target, asked, read_form(target.overlay(asked.raw)))


def _extension_urls(questionnaire: Resource) -> frozenset[str]:
    found = set()
    for element in (questionnaire, *all_items(questionnaire)):
        for extension in as_list(element.get("extension")):
            found.add(as_str(as_dict(extension).get("url")))
    return frozenset(found)
