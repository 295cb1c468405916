"""Authors' XHTML (rendering-xhtml), cleaned: a few tags of text, links, tables and lists.

Nothing that runs, loads, styles or names anything gets through.
"""

from __future__ import annotations

import re

import nh3
from markupsafe import Markup

_TAGS = frozenset(
    "p br b strong i em u s sub sup ul ol li dl dt dd blockquote h2 h3 h4 table thead tbody tr th "
    "td caption span div a code pre".split()
)
_SCHEMES = frozenset({"https", "http", "tel", "mailto"})
_LEVELS = re.compile(r"(</?)h[1-6]\b", re.IGNORECASE)
_LISTS = {
    "<ul>": '<ul class="nhsuk-list nhsuk-list--bullet">',
    "<ol>": '<ol class="nhsuk-list nhsuk-list--number">',
}


def clean(html: str) -> Markup:
    """The harmless part of some XHTML, with the NHS design system's classes. Headings become h3, so
    that pages keep their own order of headings."""
    levelled = _LEVELS.sub(r"\1h3", html)
    safe = nh3.clean(
        levelled,
        tags=set(_TAGS),
        attributes={"a": {"href"}, "th": {"scope"}, "td": {"colspan"}},
        url_schemes=set(_SCHEMES),
        link_rel="noopener noreferrer",
    )
    for plain, dressed in _LISTS.items():
        safe = safe.replace(plain, dressed)
    return Markup(safe)  # noqa: S704 - it was just cleaned


def text_of(html: str) -> str:
    """The words of some XHTML, without any markup."""
    return " ".join(Markup(nh3.clean(html, tags=set(), attributes={})).unescape().split())  # noqa: S704
