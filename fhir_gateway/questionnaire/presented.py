"""What an item's extensions say about how it is shown."""

from __future__ import annotations

from typing import Any

from fhir_gateway.fhir.types import Element, as_dict, as_list, as_str
from fhir_gateway.questionnaire import extensions as ext
from fhir_gateway.questionnaire.once import once
from fhir_gateway.questionnaire.options import value_in, whole


class Presented:
    """The part of Item that reads extensions, and those for people who draw it."""

    raw: Element

    @once
    def _by_url(self) -> dict[str, list[Element]]:
        found: dict[str, list[Element]] = {}
        for extension in as_list(self.raw.get("extension")):
            if isinstance(extension, dict):
                found.setdefault(as_str(extension.get("url")), []).append(extension)
        return found

    def extension(self, url: str) -> Any:
        """The value[x] of its first extension with this url, or None."""
        found = self._by_url.get(url)
        return value_in(found[0]) if found else None

    def extensions(self, url: str) -> list[Element]:
        """Its extensions with this url."""
        return self._by_url.get(url, [])

    @once
    def text(self) -> str:
        """The text as published; for what a patient reads see texts.py."""
        return as_str(self.raw.get("text"))

    @property
    def short_text(self) -> str:
        """The author's short label for lists of answers, or the text."""
        return as_str(self.extension(ext.SHORT_TEXT)) or self.text

    @once
    def controls(self) -> tuple[str, ...]:
        """Every code of its itemControls, such as `radio-button`, `help`, `page` or `gtable`."""
        codes = [
            as_str(as_dict(coding).get("code"))
            for extension in self.extensions(ext.ITEM_CONTROL)
            for coding in as_list(as_dict(value_in(extension)).get("coding"))
        ]
        return tuple(filter(None, codes))

    @property
    def control(self) -> str:
        """The first code of its itemControls; or ''."""
        return self.controls[0] if self.controls else ""

    @property
    def media(self) -> Element | None:
        """The Attachment (an image, a sound) shown with the text (sdc itemMedia)."""
        return as_dict(self.extension(ext.ITEM_MEDIA)) or None

    @once
    def entry_format(self) -> str:
        """An example or pattern of what to type, such as `QQ 12 34 56 C`; or ''."""
        return as_str(self.extension(ext.ENTRY_FORMAT))

    @property
    def slider_step(self) -> int | None:
        """The step of a slider."""
        return whole(self.extension(ext.SLIDER_STEP))

    @property
    def orientation(self) -> str:
        """choiceOrientation: `horizontal`, `vertical` or ''."""
        return as_str(self.extension(ext.CHOICE_ORIENTATION))

    @property
    def open_label(self) -> str:
        """The label of an open-choice's free text; or ''."""
        return as_str(self.extension(ext.OPEN_LABEL))

    @property
    def support_link(self) -> str:
        """The address of a page with more information (questionnaire-supportLink); or ''."""
        return as_str(self.extension(ext.SUPPORT_LINK))

    @property
    def keyboard(self) -> str:
        """SDC keyboard: `phone`, `email`, `number`, `url`, `chat`; or ''."""
        return as_str(self.extension(ext.KEYBOARD))
