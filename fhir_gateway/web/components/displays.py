"""What only says something: display items, notes of a question, pictures."""

from __future__ import annotations

from markupsafe import Markup

from fhir_gateway.fhir.types import as_dict, as_str
from fhir_gateway.questionnaire import extensions as ext
from fhir_gateway.questionnaire.definition import Item
from fhir_gateway.questionnaire.texts import Texts
from fhir_gateway.web import markdown, xhtml
from fhir_gateway.web.components.part import Part
from fhir_gateway.web.fields.names import is_explaining
from fhir_gateway.web.fields.options import data_url
from fhir_gateway.web.words import Words

#: itemControl codes of display items that belong to their question, not to the page.
HINT, MORE, UNIT = "help", "flyover", "unit"
#: Codes of SDC's sliders: what the two ends mean.
ENDS = ("lower", "upper")
_CARE_CARDS = {
    "care-card-emergency": "emergency",
    "care-card-urgent": "urgent",
    "care-card": "non-urgent",
}


def notes(item: Item) -> list[Item]:
    """The items below a question or group that only say something, in order."""
    return [child for child in item.children if is_explaining(child) and not child.hidden]


def hints(item: Item) -> list[Item]:
    """Those that are the question's hint."""
    return [note for note in notes(item) if note.control == HINT]


def between(item: Item) -> list[Item]:
    """Those that stand between the question and its field."""
    apart = (HINT, UNIT, *ENDS)
    return [note for note in notes(item) if note.control not in apart]


def html_of(item: Item, texts: Texts) -> Markup:
    """What an item says as HTML: the author's markdown or XHTML, or its text as paragraphs."""
    rich = texts.markdown(item)
    if rich:
        return markdown.render(rich)
    formatted = texts.xhtml(item)
    if formatted:
        return xhtml.clean(formatted)
    return markdown.paragraphs(texts.text(item))


def display(item: Item, texts: Texts, words: Words) -> Part:
    """A display item as its appearance says."""
    text, html = texts.text(item), html_of(item, texts)
    heading = {"text": text, "level": 2}
    appearance = as_str(item.extension(ext.APPEARANCE))
    if appearance in _CARE_CARDS:
        card = {"type": _CARE_CARDS[appearance], "heading": heading, "description": {"html": html}}
        return Part("card", card)
    if appearance == "card":
        return Part("card", {"heading": {**heading, "size": "m"}, "description": {"html": html}})
    if appearance == "warning":
        return Part("warning", {"heading": text, "html": html})
    if appearance == "inset":
        return Part("inset", {"html": html})
    if appearance == "details":
        return Part("details", {"summaryText": text, "html": html})
    if item.control == MORE:
        return Part("details", {"summaryText": words.say("More information"), "html": html})
    if item.control == HINT:
        return Part("hint", {"html": html})
    return Part("html", {"html": html})


def picture(item: Item, texts: Texts, words: Words) -> list[Part]:
    """The picture of an item (SDC itemMedia). One that is elsewhere is a link: pages load nothing
    from other hosts."""
    media = as_dict(item.extension(ext.ITEM_MEDIA))
    if not media:
        return []
    title = as_str(media.get("title"))
    image = data_url(media)
    if image:
        return [Part("image", {"src": image, "alt": title or texts.text(item)})]
    url = as_str(media.get("url"))
    if not url.startswith(("https://", "http://")):
        return []
    return [Part("link", {"href": url, "text": title or words.say("See the picture or video")})]
