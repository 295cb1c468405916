"""Reading the forms of a page, as a browser without scripts would; for checks that drive pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass(slots=True)
class Control:
    """A field: its name, type, value, and whether it is ticked or chosen."""

    name: str
    kind: str
    value: str
    checked: bool = False


@dataclass(slots=True)
class PageForm:
    """A form: where it posts to, its fields, and its buttons (name and value, or empty)."""

    action: str
    controls: list[Control] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    def names(self) -> set[str]:
        """The names of the fields that a person fills in."""
        return {c.name for c in self.controls if c.kind != "hidden"}

    def filled(self, answers: dict[str, list[str]], button: str = "") -> list[tuple[str, str]]:
        """The pairs that a browser posts: hidden fields as they are, the rest from `answers` or as
        the page had it. `button`: the value of the button that is pressed."""
        pairs: list[tuple[str, str]] = []
        for control in self.controls:
            given = answers.get(control.name)
            if control.kind in ("radio", "checkbox"):
                ticked = control.checked if given is None else control.value in given
                if ticked:
                    pairs.append((control.name, control.value))
            elif control.kind == "hidden" or given is None:
                pairs.append((control.name, control.value))
            else:
                pairs.append((control.name, given[0] if given else ""))
        return pairs + [(n, v) for n, v in self.buttons if n and v == button]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self.heading = ""
        self._open: PageForm | None = None
        self._textarea: Control | None = None
        self._select: str = ""
        self._in_heading = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "h1" and not self.heading:
            self._in_heading = True
        if tag == "form":
            self._open = PageForm(given.get("action", ""))
            self.forms.append(self._open)
        if self._open is None:
            return
        if tag == "input" and given.get("name"):
            kind = given.get("type", "text")
            default = "on" if kind in ("radio", "checkbox") else ""
            self._open.controls.append(
                Control(given["name"], kind, given.get("value", default), "checked" in given)
            )
        elif tag == "textarea":
            self._textarea = Control(given.get("name", ""), "textarea", "")
            self._open.controls.append(self._textarea)
        elif tag == "select":
            self._select = given.get("name", "")
            self._open.controls.append(Control(self._select, "select", ""))
        elif tag == "option" and "selected" in given:
            self._open.controls[-1].value = given.get("value", "")
        elif tag == "button":
            self._open.buttons.append((given.get("name", ""), given.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "h1":
            self._in_heading = False
        elif tag == "form":
            self._open = None
        elif tag == "textarea":
            self._textarea = None

    def handle_data(self, data: str) -> None:
        if self._textarea is not None:
            self._textarea.value += data
        if self._in_heading:
            self.heading += data


@dataclass(frozen=True, slots=True)
class ReadPage:
    """A page: its h1 and its forms."""

    heading: str
    forms: list[PageForm]


def read_page(html: str) -> ReadPage:
    """Read a page."""
    reader = _Reader()
    reader.feed(html)
    # HTML drops one line break right after <textarea>.
    for form in reader.forms:
        for control in form.controls:
            if control.kind == "textarea":
                control.value = control.value.removeprefix("\n")
    return ReadPage(" ".join(reader.heading.split()), reader.forms)
