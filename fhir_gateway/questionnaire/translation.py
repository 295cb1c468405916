"""A Questionnaire in another language, from the translation extensions of its texts.

https://hl7.org/fhir/R4/extension-translation.html: the extension stands on the sibling of a
primitive (`_text`, `_title`, `_display`, `_valueString` …) with the language in `lang` and the
words in `content`. What has no translation stays as it is.
"""

from __future__ import annotations

from typing import Any

from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str
from fhir_gateway.questionnaire import extensions as ext

_MAX_DEPTH = 200


def languages(questionnaire: Resource) -> list[str]:
    """The languages of its translations, in order of appearance, each once."""
    found: dict[str, None] = {}
    pending: list[Any] = [questionnaire]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending.extend(reversed(value))
        elif isinstance(value, dict):
            if value.get("url") == ext.TRANSLATION:
                found.setdefault(as_str(_part(value, "lang")))
            pending.extend(reversed(value.values()))
    return [language for language in found if language]


def translated(questionnaire: Resource, language: str) -> Resource:
    """A copy of the Questionnaire in `language`, as far as it is translated."""
    result: Resource = _translate(questionnaire, language, 0)
    return {**result, "language": language}


def translation(sibling: Any, language: str) -> str:
    """The words in `language` on a primitive's sibling element; or ''.

    An exact match of the tag first, then of its language (`cy` for `cy-GB` and the other way).
    """
    best = ""
    for extension in as_list(as_dict(sibling).get("extension")):
        if as_dict(extension).get("url") == ext.TRANSLATION:
            tag = as_str(_part(extension, "lang"))
            if tag.lower() == language.lower():
                return as_str(_part(extension, "content"))
            if not best and _primary(tag) == _primary(language):
                best = as_str(_part(extension, "content"))
    return best


def translations(sibling: Any) -> list[str]:
    """The words in every language on a primitive's sibling element."""
    found = as_list(as_dict(sibling).get("extension"))
    return [
        as_str(_part(extension, "content"))
        for extension in map(as_dict, found)
        if extension.get("url") == ext.TRANSLATION
    ]


def _translate(value: Any, language: str, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        return value
    if isinstance(value, list):
        return [_translate(entry, language, depth + 1) for entry in value]
    if not isinstance(value, dict):
        return value
    result = {key: _translate(part, language, depth + 1) for key, part in value.items()}
    for key, part in value.items():
        if key.startswith("_"):
            words = translation(part, language)
            if words:
                result[key[1:]] = words
    return result


def _primary(tag: str) -> str:
    return tag.split("-")[0].lower()


def _part(extension: Element, name: str) -> Any:
    for part in map(as_dict, as_list(extension.get("extension"))):
        if part.get("url") == name:
            return next((v for k, v in part.items() if k.startswith("value")), None)
    return None
