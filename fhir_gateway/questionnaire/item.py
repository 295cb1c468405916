"""One item of a Questionnaire, with everything that its elements and extensions say.

Reading is lenient: what has the wrong JSON type reads as absent, so that lint and validation can
report it. https://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from fhir_gateway.fhir.types import Coding, Element, as_dict, as_list, as_str
from fhir_gateway.questionnaire import extensions as ext
from fhir_gateway.questionnaire.logic import (
    Condition,
    Expression,
    Toggle,
    condition_of,
    expression_of,
    toggle_of,
)
from fhir_gateway.questionnaire.once import once
from fhir_gateway.questionnaire.options import Option, options_of, value_in, value_of, whole
from fhir_gateway.questionnaire.presented import Presented

#: R4 item.type codes that take an answer.
QUESTION_TYPES = frozenset(
    "boolean decimal integer date dateTime time string text url choice open-choice attachment "
    "reference quantity".split()
)
TEXT_TYPES = frozenset({"string", "text", "url"})
CHOICE_TYPES = frozenset({"choice", "open-choice"})


@dataclass(eq=False)
class Item(Presented):
    """One item of a Questionnaire, with its place in the tree.

    `order`: 1 for the first item of all. `position`: 0 for the first below its parent.
    """

    raw: Element
    parent: Item | None
    order: int
    position: int = 0
    children: list[Item] = field(default_factory=list)

    @once
    def link_id(self) -> str:
        """The linkId, or the empty string when it is missing."""
        return as_str(self.raw.get("linkId"))

    @once
    def type(self) -> str:
        """The R4 item type."""
        return as_str(self.raw.get("type"))

    @once
    def prefix(self) -> str:
        """What stands before the text, such as `1.`; or ''."""
        return as_str(self.raw.get("prefix"))

    @once
    def required(self) -> bool:
        """Whether an answer (or, for a group, content) is required while the item is enabled."""
        return self.raw.get("required") is True

    @once
    def repeats(self) -> bool:
        """Whether several answers (or, for a group, several instances) are allowed."""
        return self.raw.get("repeats") is True

    @once
    def read_only(self) -> bool:
        """Whether people may not change the answer."""
        return self.raw.get("readOnly") is True

    @once
    def hidden(self) -> bool:
        """Whether the item is never shown to the person who fills in."""
        return self.extension(ext.HIDDEN) is True

    @once
    def is_question(self) -> bool:
        """Whether the item takes answers."""
        return self.type in QUESTION_TYPES

    # What an answer may be

    @once
    def options(self) -> tuple[Option, ...]:
        """Its answerOptions. For those of a value set too, see Definition.options."""
        return options_of(self.raw)

    @once
    def value_set(self) -> str:
        """The canonical of its answerValueSet; or ''."""
        return as_str(self.raw.get("answerValueSet"))

    @property
    def unit(self) -> Coding | None:
        """questionnaire-unit: the one unit of a number or quantity."""
        return as_dict(self.extension(ext.UNIT)) or None

    @once
    def unit_options(self) -> list[Coding]:
        """questionnaire-unitOption: the units to choose from."""
        return [as_dict(value_in(e)) for e in self.extensions(ext.UNIT_OPTION)]

    @once
    def unit_value_set(self) -> str:
        """The canonical of questionnaire-unitValueSet; or ''."""
        return as_str(self.extension(ext.UNIT_VALUE_SET))

    @property
    def unit_open(self) -> str:
        """SDC unitOpen: `optionsOnly`, `optionsOrType`, `optionsOrString`; or ''."""
        return as_str(self.extension(ext.UNIT_OPEN))

    @once
    def mime_types(self) -> list[str]:
        """The content types an attachment may have; none listed: any."""
        return [as_str(value_in(e)) for e in self.extensions(ext.MIME_TYPE)]

    @once
    def max_size(self) -> int | None:
        """The largest attachment in bytes (the extension's wording since FHIR Extensions 5.x)."""
        limit = self.extension(ext.MAX_SIZE)
        number = isinstance(limit, int | Decimal | float) and not isinstance(limit, bool)
        return int(limit) if number else None

    @once
    def min_occurs(self) -> int | None:
        """How many answers, or instances of a group, there are at least."""
        return whole(self.extension(ext.MIN_OCCURS))

    @once
    def max_occurs(self) -> int | None:
        """How many answers, or instances of a group, there are at most."""
        return whole(self.extension(ext.MAX_OCCURS))

    @once
    def max_length(self) -> int | None:
        """The most characters of a text."""
        return whole(self.raw.get("maxLength"))

    @once
    def min_length(self) -> int | None:
        """The fewest characters of a text."""
        return whole(self.extension(ext.MIN_LENGTH))

    @property
    def reference_types(self) -> list[str]:
        """The resource types that a reference may point to; none listed: any."""
        return [as_str(value_in(e)) for e in self.extensions(ext.REFERENCE_RESOURCE)]

    @once
    def initial_values(self) -> list[tuple[str, Any]]:
        """The (type, value) of each `initial`, and of each option that is initiallySelected."""
        found = [value_of(as_dict(entry)) for entry in as_list(self.raw.get("initial"))]
        found.extend((o.type, o.value) for o in self.options if o.selected)
        return [pair for pair in found if pair[0]]

    @once
    def is_constrained(self) -> bool:
        """Whether it has rules of its author's own."""
        return bool(self.extensions(ext.CONSTRAINT) or self.extensions(ext.TARGET_CONSTRAINT))

    # When it applies, and what fills it in

    @once
    def conditions(self) -> tuple[Condition, ...]:
        """Its enableWhen conditions."""
        return tuple(condition_of(c) for c in map(as_dict, as_list(self.raw.get("enableWhen"))))

    @once
    def any_condition_enables(self) -> bool:
        """enableBehavior `any`; a missing one is read as `all` (lint refuses it, R4 que-12)."""
        return self.raw.get("enableBehavior") == "any"

    @once
    def enable_expression(self) -> str:
        """The FHIRPath of its enableWhenExpression, or ''."""
        found = self.expression(ext.ENABLE_WHEN_EXPRESSION)
        return found.text if found else ""

    @once
    def variables(self) -> tuple[Expression, ...]:
        """The variables that it and what is below it can use."""
        return tuple(expression_of(value_in(e)) for e in self.extensions(ext.VARIABLE))

    @once
    def calculated(self) -> Expression | None:
        """calculatedExpression: what its answer always is."""
        return self.expression(ext.CALCULATED_EXPRESSION)

    @property
    def initial_expression(self) -> Expression | None:
        """initialExpression: what its answer is at first."""
        return self.expression(ext.INITIAL_EXPRESSION)

    @once
    def answer_expression(self) -> Expression | None:
        """answerExpression: what its options are; candidateExpression is read likewise."""
        return self.expression(ext.ANSWER_EXPRESSION) or self.expression(ext.CANDIDATE_EXPRESSION)

    @once
    def toggles(self) -> tuple[Toggle, ...]:
        """Which options are offered only while an expression holds."""
        return tuple(toggle_of(e) for e in self.extensions(ext.OPTIONS_TOGGLE))

    def element_expression(self, element: str) -> Expression | None:
        """The cqf-expression on one of its primitives, such as `required`, `readOnly`, `text`."""
        for extension in as_list(as_dict(self.raw.get(f"_{element}")).get("extension")):
            if as_dict(extension).get("url") == ext.CQF_EXPRESSION:
                return expression_of(value_in(extension))
        return None

    def expression(self, url: str) -> Expression | None:
        """The Expression in its first extension with this url."""
        found = self.extensions(url)
        return expression_of(value_in(found[0])) if found else None

    @property
    def place(self) -> str:
        """Where it is, as FHIRPath: `Questionnaire.item[0].item[2]`."""
        above = self.parent.place if self.parent else "Questionnaire"
        return f"{above}.item[{self.position}]"

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
