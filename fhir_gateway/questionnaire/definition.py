"""A Questionnaire read once: an index of its items that everything else asks.

Reading is lenient, so that lint and validation can report what is wrong instead of failing on it.
https://hl7.org/fhir/R4/questionnaire.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fhir_gateway.fhir import terminology
from fhir_gateway.fhir.registry import Registry
from fhir_gateway.fhir.types import Coding, Resource, as_dict, as_list, as_str
from fhir_gateway.questionnaire.item import CHOICE_TYPES, QUESTION_TYPES, TEXT_TYPES, Item
from fhir_gateway.questionnaire.once import once
from fhir_gateway.questionnaire.options import Option, of_codings
from fhir_gateway.questionnaire.translation import languages, translated

__all__ = ["CHOICE_TYPES", "QUESTION_TYPES", "TEXT_TYPES", "Definition", "Item", "definition_of"]

MAX_ITEMS = 5_000
MAX_DEPTH = 40


class Definition:
    """The index of a Questionnaire.

    `resources`: the ValueSets and CodeSystems its options need, beside what it contains.
    `language`: of the displays of value sets (their designations); '' is their own. `expander`:
    asked for value sets that cannot be expanded from what is at hand.
    """

    def __init__(
        self,
        questionnaire: Resource,
        resources: Registry | None = None,
        *,
        language: str = "",
        expander: terminology.Expander | None = None,
    ) -> None:
        self.raw = questionnaire
        self._expander = expander
        self._resources = resources or Registry()
        self._display_language = language
        self.url = as_str(questionnaire.get("url"))
        self.version = as_str(questionnaire.get("version"))
        self.registry = self._resources.with_contained(questionnaire)
        #: Every item in document order.
        self.all_items: list[Item] = []
        self._truncated = False
        self.items = self._read(questionnaire.get("item"), None, 1)
        self.by_link_id: dict[str, Item] = {}
        for item in self.all_items:
            self.by_link_id.setdefault(item.link_id, item)
        self._expanded: dict[str, list[Coding] | terminology.NotExpandable] = {}
        self._translated: dict[str, Definition] = {}

    @property
    def canonical(self) -> str:
        """`url|version`, or the url alone."""
        return f"{self.url}|{self.version}" if self.version else self.url

    @property
    def title(self) -> str:
        """The title, or the name."""
        return as_str(self.raw.get("title")) or as_str(self.raw.get("name"))

    @property
    def truncated(self) -> bool:
        """Whether it has more items, or deeper ones, than are read."""
        return self._truncated

    @once
    def conditional(self) -> list[Item]:
        """The items with enableWhen conditions."""
        return [item for item in self.all_items if item.conditions]

    @once
    def has_enable_expressions(self) -> bool:
        """Whether any item has an enableWhenExpression."""
        return any(item.enable_expression for item in self.all_items)

    def value_set(self, item: Item) -> list[Coding]:
        """The codings of the item's answerValueSet; raises terminology.NotExpandable."""
        return self.codings(item.value_set)

    def options(self, item: Item) -> tuple[Option, ...]:
        """The options of a choice, from its answerValueSet or its answerOptions, as published.

        Raises terminology.NotExpandable.
        """
        return of_codings(self.value_set(item)) if item.value_set else item.options

    def units(self, item: Item) -> list[Coding]:
        """The units a quantity may have: unitOption and unitValueSet, or the one `unit`; none
        listed: any. Raises terminology.NotExpandable."""
        listed = item.unit_options
        if item.unit_value_set:
            listed = [*listed, *self.codings(item.unit_value_set)]
        if not listed and item.unit:
            return [item.unit]
        return listed

    def codings(self, canonical: str) -> list[Coding]:
        """The codings of a value set by canonical or `#id`; raises terminology.NotExpandable."""
        found = self._expanded.get(canonical)
        if found is None:
            found = self._expand(canonical)
            # A terminology server may answer the next time, and remembers its failures itself.
            if self._expander is None or not isinstance(found, terminology.NotExpandable):
                self._expanded[canonical] = found
        if isinstance(found, terminology.NotExpandable):
            raise found
        return found

    @property
    def language(self) -> str:
        """The language it is written in, such as `en-GB`; or ''."""
        return as_str(self.raw.get("language"))

    @property
    def languages(self) -> list[str]:
        """The languages it has translations in, in order of appearance; not its own."""
        return languages(self.raw)

    def in_language(self, language: str) -> Definition:
        """The same Questionnaire with its texts, options and displays in another language, as far
        as its translation extensions go; itself when there is nothing to change."""
        if not language or language.lower() == self.language.lower():
            return self
        if language not in self._translated:
            self._translated[language] = Definition(
                translated(self.raw, language),
                self._resources,
                language=language,
                expander=self._expander,
            )
        return self._translated[language]

    def _expand(self, canonical: str) -> list[Coding] | terminology.NotExpandable:
        value_set = self.registry.resolve(canonical)
        try:
            if value_set is None:
                raise terminology.NotExpandable(canonical, "it is not known here")
            return self._codings(value_set)
        except terminology.NotExpandable as error:
            if self._expander is None:
                return error
        try:
            return self._codings(self._expander.expand(canonical, value_set))
        except terminology.NotExpandable as error:
            return error

    def _codings(self, value_set: Resource) -> list[Coding]:
        resolve = self.registry.resolve
        return terminology.expand(value_set, resolve, language=self._display_language)

    def _read(self, raw: Any, parent: Item | None, depth: int) -> list[Item]:
        items: list[Item] = []
        for position, element in enumerate(map(as_dict, as_list(raw))):
            if len(self.all_items) >= MAX_ITEMS or depth > MAX_DEPTH:
                self._truncated = True
                break
            item = Item(element, parent, len(self.all_items) + 1, position)
            self.all_items.append(item)
            if "item" in element:
                item.children = self._read(element["item"], item, depth + 1)
            items.append(item)
        return items


def definition_of(questionnaire: Resource, resources: Iterable[Resource] = ()) -> Definition:
    """Index a questionnaire together with loose resources."""
    return Definition(questionnaire, Registry(resources))
