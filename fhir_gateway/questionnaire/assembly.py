"""`$assemble`: a modular Questionnaire and its modules become one.

https://hl7.org/fhir/uv/sdc/modular.html. A placeholder is an item of type display with
sdc-questionnaire-subQuestionnaire; the items of the module it names take its place. The module's
contained resources come along, and of its extensions those that SDC names. The result keeps the
url and version of the root, as SDC demands.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable

from fhir_gateway.errors import Refused
from fhir_gateway.fhir import path
from fhir_gateway.fhir.registry import Registry
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str, extension_value
from fhir_gateway.questionnaire import extensions as ext

MAX_DEPTH = 10
#: The variable of a placeholder that goes before every linkId of its module.
LINK_ID_PREFIX = "linkIdPrefix"
#: Extensions of a module that go to the root of the result, and those that go to what holds the
#: placeholder: an item, or the root.
_TO_ROOT = frozenset({ext.LAUNCH_CONTEXT, ext.CQF_LIBRARY})
_TO_HOLDER = frozenset({ext.VARIABLE, ext.TARGET_CONSTRAINT, ext.CONSTRAINT})


class NotAssembled(Refused):
    """A module is missing, includes itself, or clashes with another."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="not-assembled")


def assemble(
    questionnaire: Resource,
    resolve: Callable[[str], Resource | None] | None = None,
    *,
    resources: Iterable[Resource] = (),
) -> Resource:
    """The questionnaire with every module in its place; a new dict, the input is untouched.

    `resolve`: finds a Questionnaire by canonical; or else it is looked for in `resources`.
    Raises NotAssembled.
    """
    result = copy.deepcopy(questionnaire)
    parts = _Parts(resolve or Registry(resources).resolve)
    parts.expand(result, ())
    if not parts.used:
        return result
    if parts.contained:
        result["contained"] = [*as_list(result.get("contained")), *parts.contained.values()]
    result["extension"] = [
        *_independent(result),
        *parts.of_root,
        *({"url": ext.ASSEMBLED_FROM, "valueCanonical": used} for used in parts.used),
    ]
    _refuse_duplicates(result)
    return result


def _independent(questionnaire: Resource) -> list[Element]:
    """The root's own extensions; what needed assembly is independent now."""
    kept = []
    for extension in map(as_dict, as_list(questionnaire.get("extension"))):
        if extension.get("url") == ext.ASSEMBLE_EXPECTATION:
            code = as_str(extension.get("valueCode"))
            if code == "assemble-root":
                continue
            extension = {**extension, "valueCode": code.replace("assemble-", "independent-")}
        kept.append(extension)
    return kept


class _Parts:
    """What one assembly has gathered so far."""

    def __init__(self, resolve: Callable[[str], Resource | None]) -> None:
        self._resolve = resolve
        self.used: list[str] = []
        self.contained: dict[str, Resource] = {}
        self.of_root: list[Element] = []

    def expand(self, holder: Element, trail: tuple[str, ...]) -> None:
        """Replace the placeholders among the items of `holder` and below."""
        items: list[Element] = []
        for item in map(as_dict, as_list(holder.get("item"))):
            canonical = as_str(extension_value(item, ext.SUB_QUESTIONNAIRE))
            if canonical:
                module = self._module(canonical, holder, trail)
                items.extend(_placed(module, item, canonical))
                continue
            if "item" in item:
                self.expand(item, trail)
            items.append(item)
        holder["item"] = items

    def _module(self, canonical: str, holder: Element, trail: tuple[str, ...]) -> list[Element]:
        if canonical in trail or len(trail) >= MAX_DEPTH:
            raise NotAssembled(f"module {canonical} includes itself: {' > '.join(trail)}")
        module = self._resolve(canonical)
        if module is None or module.get("resourceType") != "Questionnaire":
            raise NotAssembled(f"module {canonical} is not known here")
        if canonical not in self.used:
            self.used.append(canonical)
        module = copy.deepcopy(module)
        for contained in map(as_dict, as_list(module.get("contained"))):
            self._contain(canonical, contained)
        self.expand(module, (*trail, canonical))
        self._carry(canonical, module, holder)
        return as_list(module.get("item"))

    def _carry(self, canonical: str, module: Resource, holder: Element) -> None:
        """Pass the module's extensions on to the root or to what holds the placeholder."""
        own = [as_dict(e) for e in as_list(holder.get("extension"))]
        for extension in map(as_dict, as_list(module.get("extension"))):
            if extension.get("url") in _TO_ROOT and extension not in self.of_root:
                self.of_root.append(extension)
            elif extension.get("url") in _TO_HOLDER:
                name = _variable_name(extension)
                if name and name in map(_variable_name, own):
                    raise NotAssembled(f"module {canonical} has a second variable '{name}'")
                own.append(extension)
        if own:
            holder["extension"] = own

    def _contain(self, canonical: str, contained: Resource) -> None:
        name = as_str(contained.get("id"))
        if name in self.contained and self.contained[name] != contained:
            raise NotAssembled(f"module {canonical} contains another '{name}' than one before it")
        self.contained[name] = contained


def _placed(items: list[Element], placeholder: Element, canonical: str) -> list[Element]:
    """A module's items as they stand in place of their placeholder: with its variables, and their
    linkIds behind its `linkIdPrefix`, so that one module can stand in several places."""
    variables = [
        extension
        for extension in map(as_dict, as_list(placeholder.get("extension")))
        if extension.get("url") == ext.VARIABLE
    ]
    if not variables:
        return items
    prefix = ""
    for extension in variables:
        if _variable_name(extension) == LINK_ID_PREFIX:
            prefix = _constant(extension, canonical)
    placed = [_prefixed(item, prefix) for item in map(as_dict, items)]
    return [{**item, "extension": [*variables, *as_list(item.get("extension"))]} for item in placed]


def _constant(extension: Element, canonical: str) -> str:
    expression = as_str(as_dict(extension.get("valueExpression")).get("expression"))
    try:
        results = path.plain_all(path.evaluate(expression, {}))
    except path.PathRefused as error:
        raise NotAssembled(f"the {LINK_ID_PREFIX} of {canonical}: {error}") from None
    if len(results) != 1 or not isinstance(results[0], str):
        raise NotAssembled(f"the {LINK_ID_PREFIX} of {canonical} is not one text")
    return results[0]


def _prefixed(item: Element, prefix: str) -> Element:
    if not prefix:
        return item
    result = {**item, "linkId": prefix + as_str(item.get("linkId"))}
    if "enableWhen" in item:
        result["enableWhen"] = [
            {**condition, "question": prefix + as_str(condition.get("question"))}
            for condition in map(as_dict, as_list(item["enableWhen"]))
        ]
    if "item" in item:
        result["item"] = [_prefixed(i, prefix) for i in map(as_dict, as_list(item["item"]))]
    return result


def _variable_name(extension: Element) -> str:
    if extension.get("url") != ext.VARIABLE:
        return ""
    return as_str(as_dict(extension.get("valueExpression")).get("name"))


def _refuse_duplicates(questionnaire: Resource) -> None:
    seen: set[str] = set()
    pending = list(as_list(questionnaire.get("item")))
    while pending:
        item = as_dict(pending.pop())
        link_id = as_str(item.get("linkId"))
        if link_id in seen:
            raise NotAssembled(f"linkId '{link_id}' comes from two modules")
        seen.add(link_id)
        pending.extend(as_list(item.get("item")))
