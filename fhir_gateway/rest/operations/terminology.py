"""`ValueSet/$expand`, `$validate-code` and `CodeSystem/$lookup` for what is published here.

https://hl7.org/fhir/R4/valueset-operation-expand.html, valueset-operation-validate-code.html,
codesystem-operation-lookup.html
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from fhir_gateway.fhir.terminology import Expander, NotExpandable, expand
from fhir_gateway.fhir.types import Coding, Element, Resource, as_dict, as_list, as_str
from fhir_gateway.questionnaire.catalogue import Catalogue
from fhir_gateway.rest.operations.inputs import Inputs, inputs_of, parameters
from fhir_gateway.rest.problem import BAD_REQUEST, NOT_FOUND, UNPROCESSABLE, Problem, not_found
from fhir_gateway.rest.registry import Answer, Call, Level, Operation, Registry

_DEFINED = "http://hl7.org/fhir/OperationDefinition/"
_BOTH = frozenset({Level.TYPE, Level.INSTANCE})
_MAX_COUNT = 5_000


def register(
    registry: Registry,
    catalogue: Catalogue,
    clock: Callable[[], datetime],
    expander: Expander | None = None,
) -> None:
    """Serve them. `expander`: asked for value sets that cannot be expanded from what is here."""
    desk = _Desk(catalogue, clock, expander)
    for resource_type, name, handler, levels in (
        ("ValueSet", "expand", desk.expand, _BOTH),
        ("ValueSet", "validate-code", desk.validate_code, _BOTH),
        ("CodeSystem", "lookup", desk.lookup, frozenset({Level.TYPE})),
        ("CodeSystem", "validate-code", desk.validate_in_system, _BOTH),
    ):
        definition = f"{_DEFINED}{resource_type}-{name}"
        registry.operation(Operation(name, definition, handler, resource_type, levels, get=True))


class _Desk:
    def __init__(
        self, catalogue: Catalogue, clock: Callable[[], datetime], expander: Expander | None
    ) -> None:
        self._catalogue, self._clock, self._expander = catalogue, clock, expander

    def expand(self, call: Call) -> Answer:
        """`$expand`: filter, offset, count, displayLanguage."""
        given = inputs_of(call, bare={"ValueSet"}, name="valueSet")
        value_set = self._meant("ValueSet", call, given)
        codings = self._codings(value_set, given.text("displayLanguage"))
        wanted = given.text("filter").casefold()
        if wanted:
            codings = [
                c for c in codings if wanted in f"{as_str(c.get('display'))} {c['code']}".casefold()
            ]
        offset, count = given.number("offset") or 0, given.number("count")
        page = codings[offset:][: _MAX_COUNT if count is None else count]
        expansion: Element = {
            "identifier": f"urn:uuid:{uuid.uuid4()}",
            "timestamp": self._clock().isoformat(timespec="seconds"),
            "total": len(codings),
            "offset": offset,
        }
        if page:
            expansion["contains"] = page
        rest = {k: v for k, v in value_set.items() if k not in ("compose", "expansion", "text")}
        return Answer({**rest, "expansion": expansion})

    def validate_code(self, call: Call) -> Answer:
        """`ValueSet/$validate-code`: is a code in a value set."""
        given = inputs_of(call, bare={"ValueSet"}, name="valueSet")
        value_set = self._meant("ValueSet", call, given)
        codings = self._codings(value_set, given.text("displayLanguage"))
        return Answer(_verdict(given, codings, "the value set"))

    def validate_in_system(self, call: Call) -> Answer:
        """`CodeSystem/$validate-code`: is a code in a code system."""
        given = inputs_of(call, bare={"CodeSystem"}, name="codeSystem")
        system = self._meant("CodeSystem", call, given)
        codings = [
            {"system": as_str(system.get("url")), **_shown(concept)}
            for concept in _concepts(system)
        ]
        return Answer(_verdict(given, codings, "the code system"))

    def lookup(self, call: Call) -> Answer:
        """`CodeSystem/$lookup`: what is known of a code."""
        given = inputs_of(call)
        coding = as_dict(given.value("coding"))
        system = given.text("system") or as_str(coding.get("system"))
        code = given.text("code") or as_str(coding.get("code"))
        if not (system and code):
            raise Problem(BAD_REQUEST, "required", "Give 'system' and 'code', or 'coding'.")
        version = given.text("version") or as_str(coding.get("version"))
        found = self._catalogue.registry.resolve(f"{system}|{version}" if version else system)
        if found is None or found.get("resourceType") != "CodeSystem":
            raise Problem(NOT_FOUND, "not-found", "This code system is not published here.")
        concept = next((c for c in _concepts(found) if c.get("code") == code), None)
        if concept is None:
            raise Problem(NOT_FOUND, "not-found", "The code system has no such code.")
        return Answer(_described(found, concept, given.text("displayLanguage")))

    def _meant(self, resource_type: str, call: Call, given: Inputs) -> Resource:
        """The definition that is asked about: by id, in the body, or by url."""
        if call.id:
            known = self._catalogue.registry.of_type(resource_type)
            found = [r for r in known if r.get("id") == call.id]
            if not found:
                raise not_found(resource_type)
            return found[-1]
        resource = given.resource("valueSet", "codeSystem")
        if resource is not None and resource.get("resourceType") == resource_type:
            return resource
        url = given.text("url") or (given.text("system") if resource_type == "CodeSystem" else "")
        if not url:
            raise Problem(BAD_REQUEST, "required", f"Which {resource_type}? Give 'url'.")
        version = given.text("valueSetVersion", "version")
        resolved = self._catalogue.registry.resolve(f"{url}|{version}" if version else url)
        if resolved is None or resolved.get("resourceType") != resource_type:
            raise Problem(NOT_FOUND, "not-found", f"This {resource_type} is not published here.")
        return resolved

    def _codings(self, value_set: Resource, language: str) -> list[Coding]:
        try:
            return expand(value_set, self._catalogue.registry.resolve, language=language)
        except NotExpandable as error:
            why = str(error)
        except RecursionError:
            why = "It is nested too deeply"
        url = as_str(value_set.get("url"))
        known = bool(url) and self._catalogue.registry.resolve(url) is value_set
        if self._expander is not None and known:
            # Only what is published here: nobody makes the gateway ask for what they like.
            try:
                whole = self._expander.expand(url, value_set)
                return expand(whole, self._catalogue.registry.resolve, language=language)
            except NotExpandable as error:
                why = str(error)
        raise Problem(UNPROCESSABLE, "not-supported", f"{_clean(why)}.")


def _clean(text: str) -> str:
    return "".join(c for c in text if c.isprintable())[:400]


def _verdict(given: Inputs, codings: list[Coding], where: str) -> Resource:
    asked = list(_asked(given))
    if not asked:
        raise Problem(
            BAD_REQUEST, "required", "Give 'code' and 'system', or 'coding', or 'codeableConcept'."
        )
    by_code: dict[str, list[Coding]] = {}
    for coding in codings:
        by_code.setdefault(coding["code"], []).append(coding)
    for one in asked:
        system = as_str(one.get("system"))
        matches = [
            c
            for c in by_code.get(as_str(one.get("code")), [])
            if not system or c["system"] == system
        ]
        if not matches:
            continue
        shown = as_str(matches[0].get("display"))
        wrong = as_str(one.get("display")) not in ("", shown)
        parts: list[Element] = [{"name": "result", "valueBoolean": not wrong}]
        if wrong:
            text = f"The code is in {where}, but its display is another."
            parts.append({"name": "message", "valueString": text})
        if shown:
            parts.append({"name": "display", "valueString": shown})
        return parameters(*parts)
    return parameters(
        {"name": "result", "valueBoolean": False},
        {"name": "message", "valueString": f"The code is not in {where}."},
    )


def _asked(given: Inputs) -> Iterator[Coding]:
    code = given.text("code")
    if code:
        yield {"code": code, "system": given.text("system"), "display": given.text("display")}
    for coding in (given.value("coding"), *_of_concept(given.value("codeableConcept"))):
        if as_str(as_dict(coding).get("code")):
            yield as_dict(coding)


def _of_concept(concept: Any) -> list[Any]:
    return as_list(as_dict(concept).get("coding"))


def _concepts(code_system: Resource) -> Iterator[Element]:
    """All concepts, parents before children."""
    pending = [as_dict(c) for c in reversed(as_list(code_system.get("concept")))]
    while pending:
        concept = pending.pop()
        yield concept
        pending.extend(as_dict(c) for c in reversed(as_list(concept.get("concept"))))


def _shown(concept: Element) -> Coding:
    return {k: as_str(concept[k]) for k in ("code", "display") if as_str(concept.get(k))}


def _described(system: Resource, concept: Element, language: str) -> Resource:
    designations = [as_dict(d) for d in as_list(concept.get("designation"))]
    display = next(
        (
            as_str(d.get("value"))
            for d in designations
            if language and as_str(d.get("language")).lower() == language.lower()
        ),
        as_str(concept.get("display")),
    )
    name = as_str(system.get("name")) or as_str(system.get("title")) or as_str(system.get("url"))
    parts: list[Element] = [{"name": "name", "valueString": name}]
    if as_str(system.get("version")):
        parts.append({"name": "version", "valueString": system["version"]})
    parts.append({"name": "display", "valueString": display or as_str(concept.get("code"))})
    if as_str(concept.get("definition")):
        parts.append(_property("definition", "valueString", concept["definition"]))
    for designation in designations:
        inner = [
            {"name": key, kind: designation[key]}
            for key, kind in (
                ("language", "valueCode"),
                ("use", "valueCoding"),
                ("value", "valueString"),
            )
            if designation.get(key)
        ]
        parts.append({"name": "designation", "part": inner})
    for one in map(as_dict, as_list(concept.get("property"))):
        kind = next((k for k in one if k.startswith("value")), "")
        if kind:
            parts.append(_property(as_str(one.get("code")), kind, one[kind]))
    return parameters(*parts)


def _property(code: str, kind: str, value: Any) -> Element:
    return {
        "name": "property",
        "part": [{"name": "code", "valueCode": code}, {"name": "value", kind: value}],
    }
