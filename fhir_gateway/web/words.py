"""The pages' own words, in English and other languages; the author's are in the Questionnaire.

A phrase is its own key: what a language does not have yet is shown in English.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

#: Languages that are written from right to left (ISO 639).
_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur", "ps", "sd", "yi", "dv", "ckb", "ug"})
#: What languages are called by those who speak them; others by their tag.
_NAMES = {
    "en": "English",
    "cy": "Cymraeg",
    "ar": "العربية",
    "bn": "বাংলা",
    "de": "Deutsch",
    "es": "Español",
    "fa": "فارسی",
    "fr": "Français",
    "gu": "ગુજરાતી",
    "he": "עברית",
    "hi": "हिन्दी",
    "it": "Italiano",
    "nl": "Nederlands",
    "no": "Norsk",
    "nb": "Norsk bokmål",
    "pa": "ਪੰਜਾਬੀ",
    "pl": "Polski",
    "pt": "Português",
    "ro": "Română",
    "ru": "Русский",
    "so": "Soomaali",
    "tr": "Türkçe",
    "uk": "Українська",
    "ur": "اردو",
    "zh": "中文",
}


@dataclass(frozen=True)
class Words:
    """The words for one language (BCP 47 tag)."""

    language: str

    def say(self, phrase: str, **values: Any) -> str:
        """A phrase in this language, with its `{name}`s filled in."""
        found = _phrases(primary(self.language)).get(phrase, phrase)
        return found.format(**values) if values else found

    @property
    def direction(self) -> str:
        """`rtl` or `ltr`, for HTML's dir."""
        return "rtl" if primary(self.language) in _RIGHT_TO_LEFT else "ltr"

    @property
    def spoken(self) -> str:
        """The language of these words: English where there are none of their own."""
        return self.language if _phrases(primary(self.language)) else "en"

    def character_count(self) -> dict[str, Any]:
        """What the character count says, as nhsuk-frontend takes it."""
        if not _phrases(primary(self.language)):
            return {}
        return {
            "textareaDescriptionText": self.say("You can enter up to %{count} characters"),
            "charactersUnderLimitText": {
                "one": self.say("You have %{count} character remaining"),
                "other": self.say("You have %{count} characters remaining"),
            },
            "charactersAtLimitText": self.say("You have 0 characters remaining"),
            "charactersOverLimitText": {
                "one": self.say("You have %{count} character too many"),
                "other": self.say("You have %{count} characters too many"),
            },
        }


ENGLISH = Words("en")


def name_of(language: str) -> str:
    """What a language calls itself; its tag when that is not known here."""
    return _NAMES.get(primary(language), language)


def primary(language: str) -> str:
    """`cy` of `cy-GB`."""
    return language.partition("-")[0].lower()


@lru_cache
def _phrases(language: str) -> dict[str, str]:
    if language == "en" or not language.isalpha():
        return {}
    file = resources.files("fhir_gateway.web") / "languages" / f"{language}.json"
    try:
        phrases: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return phrases
