"""A Questionnaire read once: an index of its items that everything else asks.

Reading is lenient, so that lint and validation can report what is wrong instead of failing on it.
https://hl7.org/fhir/R4/questionnaire.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from fhir_gateway.fhir import terminology
from fhir_gateway.fhir.registry import Registry
from fhir_gateway.fhir.types import (
    Coding,
    Element,
    Resource,
    as_dict,
    as_list,
    as_str,
    extension_value,
    extensions,
)
from fhir_gateway.questionnaire import extensions as ext

#: R4 item.type codes that take an answer.
QUESTION_TYPES = frozenset(
    "boolean decimal integer date dateTime time string text url choice open-choice attachment "
    "reference quantity".split()
)
TEXT_TYPES = frozenset({"string", "text", "url"})
CHOICE_TYPES = frozenset({"choice", "open-choice"})

MAX_ITEMS = 5_000
MAX_DEPTH = 40


@dataclass(frozen=True, slots=True)
class Condition:
    """One enableWhen: the linkId it asks, the operator, and the value[x] it expects."""

    question: str
    operator: str
    expected: Any
    expected_type: str


@dataclass(eq=False)
class Item:
    """One item of a Questionnaire, with its place in the tree."""

    raw: Element
    parent: Item | None
    order: int
    children: list[Item] = field(default_factory=list)

    @property
    def link_id(self) -> str:
        """The linkId, or the empty string when it is missing."""
        return as_str(self.raw.get("linkId"))

    @property
    def type(self) -> str:
        """The R4 item type."""
        return as_str(self.raw.get("type"))

    @property
    def text(self) -> str:
        """The text as published; for what a patient reads see texts.py."""
        return as_str(self.raw.get("text"))

    @property
    def short_text(self) -> str:
        """The author's short label for lists of answers, or the text."""
        return as_str(self.extension(ext.SHORT_TEXT)) or self.text

    @property
    def required(self) -> bool:
        """Whether an answer (or, for a group, content) is required while the item is enabled."""
        return self.raw.get("required") is True

    @property
    def repeats(self) -> bool:
        """Whether several answers (or, for a group, several instances) are allowed."""
        return self.raw.get("repeats") is True

    @property
    def read_only(self) -> bool:
        """Whether people may not change the answer."""
        return self.raw.get("readOnly") is True

    @property
    def hidden(self) -> bool:
        """Whether the item is never shown to the person who fills in."""
        return self.extension(ext.HIDDEN) is True

    @property
    def is_question(self) -> bool:
        """Whether the item takes answers."""
        return self.type in QUESTION_TYPES

    @property
    def control(self) -> str:
        """The code of its itemControl, such as `radio-button`, `help` or `page`; or ''."""
        concept = as_dict(self.extension(ext.ITEM_CONTROL))
        codings = as_list(concept.get("coding"))
        return as_str(as_dict(codings[0]).get("code")) if codings else ""

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """Its enableWhen conditions."""
        return tuple(_condition(c) for c in map(as_dict, as_list(self.raw.get("enableWhen"))))

    @property
    def any_condition_enables(self) -> bool:
        """enableBehavior `any`; a missing one is read as `all` (lint refuses it, R4 que-12)."""
        return self.raw.get("enableBehavior") == "any"

    @property
    def enable_expression(self) -> str:
        """The FHIRPath of its enableWhenExpression, or ''."""
        return as_str(as_dict(self.extension(ext.ENABLE_WHEN_EXPRESSION)).get("expression"))

    def extension(self, url: str) -> Any:
        """The value[x] of its first extension with this url, or None."""
        return extension_value(self.raw, url)

    def extensions(self, url: str) -> list[Element]:
        """Its extensions with this url."""
        return extensions(self.raw, url)

    def descendants(self) -> Iterator[Item]:
        """Itself and all items below it, in document order."""
        yield self
        for child in self.children:
            yield from child.descendants()

    def ancestors(self) -> Iterator[Item]:
        """The items above it, nearest first."""
        parent = self.parent
        while parent is not None:
            yield parent
            parent = parent.parent


class Definition:
    """The index of a Questionnaire.

    `resources`: the ValueSets and CodeSystems its options need, beside what it contains.
    """

    def __init__(self, questionnaire: Resource, resources: Registry | None = None) -> None:
        self.raw = questionnaire
        self.url = as_str(questionnaire.get("url"))
        self.version = as_str(questionnaire.get("version"))
        self.registry = (resources or Registry()).with_contained(questionnaire)
        self._count = 0
        self.items = self._read(questionnaire.get("item"), None, 1)
        self.by_link_id: dict[str, Item] = {}
        for item in self.all_items():
            self.by_link_id.setdefault(item.link_id, item)
        self._options: dict[str, list[Coding] | terminology.NotExpandable] = {}

    @property
    def canonical(self) -> str:
        """`url|version`, or the url alone."""
        return f"{self.url}|{self.version}" if self.version else self.url

    @property
    def title(self) -> str:
        """The title, or the name."""
        return as_str(self.raw.get("title")) or as_str(self.raw.get("name"))

    def all_items(self) -> Iterator[Item]:
        """Every item in document order."""
        for item in self.items:
            yield from item.descendants()

    def value_set(self, item: Item) -> list[Coding]:
        """The codings of the item's answerValueSet; raises terminology.NotExpandable."""
        return self.codings_of(as_str(item.raw.get("answerValueSet")))

    def codings_of(self, canonical: str) -> list[Coding]:
        """The codings of a value set; raises terminology.NotExpandable."""
        if canonical not in self._options:
            self._options[canonical] = self._expand(canonical)
        found = self._options[canonical]
        if isinstance(found, terminology.NotExpandable):
            raise found
        return found

    def _expand(self, canonical: str) -> list[Coding] | terminology.NotExpandable:
        value_set = self.registry.resolve(canonical)
        if value_set is None:
            return terminology.NotExpandable(canonical, "it is not known here")
        try:
            return terminology.expand(value_set, self.registry.resolve)
        except terminology.NotExpandable as error:
            return error

    def _read(self, raw: Any, parent: Item | None, depth: int) -> list[Item]:
        items: list[Item] = []
        if depth > MAX_DEPTH:
            return items
        for element in map(as_dict, as_list(raw)):
            if self._count >= MAX_ITEMS:
                break
            self._count += 1
            item = Item(element, parent, self._count)
            item.children = self._read(element.get("item"), item, depth + 1)
            items.append(item)
        return items


def definition_of(questionnaire: Resource, resources: Iterable[Resource] = ()) -> Definition:
    """Index a questionnaire together with loose resources."""
    return Definition(questionnaire, Registry(resources))


def _condition(raw: Element) -> Condition:
    key = next((k for k in raw if k.startswith("answer")), "")
    return Condition(
        question=as_str(raw.get("question")),
        operator=as_str(raw.get("operator")),
        expected=raw.get(key),
        expected_type=key.removeprefix("answer"),
    )
