"""Authors' markdown as HTML in the NHS design system's classes. Never for what a patient typed.

CommonMark with raw HTML switched off; links only to https, http, tel, mailto and own pages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup

_LINK = re.compile(r"(https?://|tel:|mailto:|/)", re.IGNORECASE)
_CLASSES = {
    "p": "",
    "ul": "nhsuk-list nhsuk-list--bullet",
    "ol": "nhsuk-list nhsuk-list--number",
    "h2": "nhsuk-heading-m",
    "h3": "nhsuk-heading-s",
}
#: A page has one h1, and it is not the author's to give.
_LEVELS = {"h1": "h2", "h4": "h3", "h5": "h3", "h6": "h3"}


def _open_with_class(
    self: RendererHTML, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
) -> str:
    tokens[idx].tag = _LEVELS.get(tokens[idx].tag, tokens[idx].tag)
    classes = _CLASSES.get(tokens[idx].tag)
    if classes:
        tokens[idx].attrSet("class", classes)
    return self.renderToken(tokens, idx, options, env)


def _close(
    self: RendererHTML, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
) -> str:
    tokens[idx].tag = _LEVELS.get(tokens[idx].tag, tokens[idx].tag)
    return self.renderToken(tokens, idx, options, env)


def _renderer() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "breaks": False}).disable(["image"])
    markdown.validateLink = lambda url: bool(_LINK.match(url))  # type: ignore[method-assign]
    for rule in ("bullet_list_open", "ordered_list_open", "heading_open"):
        markdown.add_render_rule(rule, _open_with_class)
    markdown.add_render_rule("heading_close", _close)
    return markdown


_MARKDOWN = _renderer()


def render(text: str) -> Markup:
    """Markdown as safe HTML."""
    return Markup(_MARKDOWN.render(text))  # noqa: S704 - raw HTML is off


def paragraphs(text: str) -> Markup:
    """Plain text as paragraphs, escaped."""
    parts = [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
    return Markup("").join(Markup("<p>{}</p>").format(part) for part in parts)
