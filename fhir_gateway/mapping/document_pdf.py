"""The document of a request as a PDF: A4, headings, answers, page numbers, any script.

Set with fpdf2 and HarfBuzz, so that Arabic joins and right-to-left lines run right to left. Fonts
are Noto (SIL Open Font License), fetched at build (script/hatch_build.py). The same request gives
the same bytes. What a patient typed is text: it is never read as markup.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path

from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import TextDirection, WrapMode, XPos, YPos

from fhir_gateway.mapping.document import Document, Line

FONTS = Path(__file__).parent / "fonts"
_BLUE, _BLACK, _GREY = (0, 94, 184), (33, 43, 50), (76, 98, 114)  # NHS blue and its greys
_MARGIN, _LABEL, _INDENT = 18, 38, 5
#: Characters of one answer that are set, some eight pages; no form asks for more.
MAX_ANSWER = 20_000
_SANS = ("NotoSans_400Regular.ttf", "NotoSans_700Bold.ttf")
_FALLBACKS = {
    "Arabic": ("NotoSansArabic_400Regular.ttf", "NotoSansArabic_700Bold.ttf"),
    "Hebrew": ("NotoSansHebrew-Regular.ttf", "NotoSansHebrew-Bold.ttf"),
    "Emoji": ("NotoEmoji_400Regular.ttf",),
}
_MISSING = "\N{REPLACEMENT CHARACTER}"
_MISSING_NOTE = (
    f"Characters shown as {_MISSING} are of a script that this document has no letters for. "
    "They are in the plain text of the request."
)
_RIGHT_TO_LEFT = frozenset({"R", "AL"})


class _Page(FPDF):
    """A page with the reference and its number at the foot."""

    def __init__(self, document: Document) -> None:
        super().__init__(format="A4")
        self._foot = f"{document.title} {document.reference}".strip()

    def footer(self) -> None:
        """Reference left, page of pages right."""
        self.set_y(-14)
        self.set_font("Noto", size=8)
        self.set_text_color(*_GREY)
        self.cell(0, 5, self._foot, align="L")
        self.set_x(_MARGIN)
        self.cell(0, 5, f"Page {self.page_no()} of {{nb}}", align="R")


def pdf(document: Document) -> bytes:
    """The document as PDF bytes."""
    page = _Page(document)
    page.set_creation_date(document.moment)
    page.set_title(f"{document.title} {document.reference}".strip())
    page.set_producer("fhir_gateway")
    page.set_lang("en-GB")
    _add_fonts(page, _all_text(document))
    page.set_margins(_MARGIN, _MARGIN, _MARGIN)
    page.set_auto_page_break(True, margin=20)
    page.set_text_shaping(True)
    page.add_page()
    _head(page, document)
    for index, line in enumerate(document.lines):
        _line(page, line, document.lines[index + 1 : index + 2])
    if _MISSING in _printable(_all_text(document)):
        page.ln(4)
        _put(page, _MISSING_NOTE, size=9, colour=_GREY)
    return bytes(page.output())


def _all_text(document: Document) -> str:
    facts = [text for fact in document.facts for text in fact]
    lines = [line.text for line in document.lines]
    return "\n".join([document.title, document.service, *facts, *lines])


def _add_fonts(page: FPDF, text: str) -> None:
    """Noto Sans, and of the others those that the text needs."""
    needed = [name for name, files in _FALLBACKS.items() if _uses(text, files[0])]
    for name, files in {"Noto": _SANS, **{n: _FALLBACKS[n] for n in needed}}.items():
        for style, file in zip(("", "B"), files, strict=False):
            page.add_font(name, style, str(FONTS / file))
    page.set_fallback_fonts(needed, exact_match=False)


def _uses(text: str, file: str) -> bool:
    drawn, sans = _drawn_by(file), _drawn_by(_SANS[0])
    return any(ord(char) in drawn and ord(char) not in sans for char in set(text))


@lru_cache(maxsize=8)
def _drawn_by(file: str) -> frozenset[int]:
    """The characters that a font has."""
    with TTFont(FONTS / file, lazy=True) as font:
        return frozenset(font.getBestCmap())


def _head(page: FPDF, document: Document) -> None:
    page.set_fill_color(*_BLUE)
    page.rect(0, 0, page.w, 6, style="F")
    page.set_y(_MARGIN - 4)
    if document.service:
        _put(page, document.service, size=10, colour=_GREY)
    _put(page, document.title, size=20, bold=True, colour=_BLUE)
    page.ln(2)
    for label, text in document.facts:
        _fact(page, label, text)
    page.ln(2)
    page.set_draw_color(*_GREY)
    page.line(_MARGIN, page.get_y(), page.w - _MARGIN, page.get_y())
    page.ln(2)


def _fact(page: FPDF, label: str, text: str) -> None:
    page.set_font("Noto", "B", 10)
    page.set_text_color(*_BLACK)
    top = page.get_y()
    page.cell(_LABEL, 5.5, label)
    page.set_xy(_MARGIN + _LABEL, top)
    _put(page, text, size=10, left=_LABEL)


def _line(page: FPDF, line: Line, following: tuple[Line, ...]) -> None:
    left = _INDENT * max(line.depth - 1, 0)
    if line.role == "answer":
        shown = line.text
        if len(shown) > MAX_ANSWER:
            shown = f"{shown[:MAX_ANSWER]}… (the rest is in the plain text of the request)"
        _put(page, shown, size=11, left=left + 3)
        page.ln(1)
        return
    # A heading or question stays with what follows it.
    needed = 16 if following else 8
    if page.will_page_break(needed):
        page.add_page()
    if line.role == "heading":
        page.ln(3)
        _put(page, line.text, size=13 if line.depth == 0 else 11.5, bold=True, left=left)
        page.ln(1)
    else:
        page.ln(1)
        _put(page, line.text, size=9.5, bold=True, colour=_GREY, left=left)


def _put(
    page: FPDF,
    text: str,
    *,
    size: float,
    bold: bool = False,
    colour: tuple[int, int, int] = _BLACK,
    left: float = 0,
) -> None:
    """Text in lines as wide as the page, each paragraph in the direction of its script."""
    page.set_text_color(*colour)
    for paragraph in _printable(text).split("\n"):
        right_to_left = _is_right_to_left(paragraph)
        page.set_font("Noto", "B" if bold else "", size)
        page.set_text_shaping(
            True, direction=TextDirection.RTL if right_to_left else TextDirection.LTR
        )
        page.set_x(_MARGIN + left)
        page.multi_cell(
            page.w - 2 * _MARGIN - left,
            size * 0.5,
            paragraph,
            align="R" if right_to_left else "L",
            new_x=XPos.LMARGIN,
            new_y=YPos.NEXT,
            wrapmode=WrapMode.WORD,
        )


@lru_cache(maxsize=4096)
def _kind(char: str) -> str:
    return unicodedata.bidirectional(char)


def _is_right_to_left(text: str) -> bool:
    """The first letter with a direction decides (https://unicode.org/reports/tr9/#P2)."""
    for char in text:
        kind = _kind(char)
        if kind in _RIGHT_TO_LEFT:
            return True
        if kind == "L":
            return False
    return False


def _printable(text: str) -> str:
    """The text without what no font draws: no controls, no selectors of how an emoji looks; for a
    character of a script that no font has, a mark that something is missing."""
    kept = []
    for char in text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    "):
        if char == "\n" or _is_drawn(char):
            kept.append(char)
        elif unicodedata.category(char)[0] not in "CM" and char not in "\ufe0f\ufe0e":
            kept.append(_MISSING)
    return "".join(kept)


@lru_cache(maxsize=4096)
def _is_drawn(char: str) -> bool:
    if unicodedata.category(char)[0] == "C" or char in "\ufe0f\ufe0e":
        # Joiners shape emoji and Arabic; other controls draw nothing.
        return char in "\u200c\u200d"
    files = [_SANS[0], *(files[0] for files in _FALLBACKS.values())]
    return any(ord(char) in _drawn_by(file) for file in files)
