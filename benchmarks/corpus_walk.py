"""Walks through a Questionnaire's pages as a browser without scripts would, noting everything."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import httpx

from benchmarks import filling
from fhir_gateway.journey.flow import StepKind
from fhir_gateway.questionnaire.response import Node
from fhir_gateway.sandbox.htmlforms import PageForm, read_page
from fhir_gateway.web.fields import field_name, is_shown
from fhir_gateway.web.fields.names import has_slots
from fhir_gateway.web.preview import Trial

MAX_POSTS = 400
MAX_GUESSES = 14


@dataclass(slots=True)
class Walk:
    """What happened. `html`: the pages that came, each kind of page once; `stuck`: where no guess
    was taken, and what the page said; `ended`: the validator's errors at the end (None: not there).
    """

    html: dict[str, str] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    ended: list[str] | None = None
    stopped: bool = False
    posts: int = 0


class Walker:
    """One walk with one variant of answers."""

    def __init__(self, http: httpx.AsyncClient, trial: Trial, variant: int, walk: Walk) -> None:
        self.http = http
        self.trial = trial
        self.variant = variant
        self.walk = walk

    async def go(self) -> None:
        """From the first page to the end."""
        self.trial.start_again()
        page = await self.get(f"/{self.trial.key}/")
        guess: dict[str, int] = {}
        while self.walk.posts < MAX_POSTS:
            path = urlsplit(str(page.url)).path
            if path.endswith("/end"):
                errors = [i for i in self.trial.judged() if i.severity in ("error", "fatal")]
                self.walk.ended = [f"{i.code.value} at {i.link_id}" for i in errors]
                return
            if path.endswith("/stop"):
                self.walk.stopped = True
                return
            if page.status_code not in (200, 422):
                self.walk.failures.append(f"{page.status_code} at {path}")
                return
            place = f"{path} {len(self.trial.progress.visited)}"
            if guess.get(place, 0) > MAX_GUESSES:
                errors = "; ".join(text for text in _errors(page.text))
                self.walk.stuck.append(f"{unquote(path)}: {errors}")
                return
            page = await self.post(page, guess.get(place, 0))
            if page.status_code == 422 or urlsplit(str(page.url)).path == path:
                guess[place] = guess.get(place, 0) + 1
        self.walk.stuck.append("too many pages")

    async def get(self, path: str) -> httpx.Response:
        """A page, timed."""
        started = time.perf_counter()
        page = await self.http.get(path)
        self.walk.seconds.append(time.perf_counter() - started)
        self._note(page)
        return page

    async def post(self, page: httpx.Response, guess: int) -> httpx.Response:
        """Fill in the page's form and press Continue."""
        form = next(
            f for f in read_page(page.text).forms if not f.action.endswith(("/again", "/language"))
        )
        data, files = self._filled(form, page, guess)
        self.walk.posts += 1
        started = time.perf_counter()
        answer = await self.http.post(form.action, data=data, files=files or None)
        self.walk.seconds.append(time.perf_counter() - started)
        self._note(answer)
        return answer

    def _filled(
        self, form: PageForm, page: httpx.Response, guess: int
    ) -> tuple[dict[str, list[str]], list[tuple[str, tuple[str, bytes, str]]]]:
        given: dict[str, list[str]] = {}
        files = []
        scope = self.trial.flow.scope
        for node in self._questions(page):
            if node.item.type == "attachment":
                name = f"{field_name(node)}-file"
                if any(c.name == name for c in form.controls) and not node.answers:
                    files.append((name, ("picture.png", filling.picture(), "image/png")))
                continue
            offered = filling.answers(node, self.trial.definition, self.variant, scope)
            if not offered:
                continue
            guessed = offered[min(guess, len(offered) - 1)]
            slots = self._slots(form, node)
            for suffix, values in guessed.items():
                given.update({field_name(node) + slot + suffix: values for slot in slots})
        if "/check" in str(page.url):
            given.update({c.name: [c.value] for c in form.controls if c.kind == "checkbox"})
        data: dict[str, list[str]] = {}
        for name, value in form.filled(given):
            data.setdefault(name, []).append(value)
        names = {c.name for c in form.controls}
        for name, values in given.items():
            # The results of a search are not on the page before anybody searched.
            if name not in names and f"{name}-search" in names:
                data[name] = values
        return data, files

    def _slots(self, form: PageForm, node: Node) -> list[str]:
        """Where the answers to a question are typed."""
        if not has_slots(node.item):
            return [""]
        count = next((c.value for c in form.controls if c.name == f"{field_name(node)}~n"), "1")
        return [f"~{index}" for index in range(int(count))]

    def _questions(self, page: httpx.Response) -> Iterator[Node]:
        flow = self.trial.flow
        path = urlsplit(str(page.url)).path
        if path.endswith("/check"):
            yield from flow.declarations
            return
        step = flow.step(StepKind.PAGE, unquote(path).partition("/page/")[2])
        yield from (n for n in (step.page.questions if step and step.page else []) if is_shown(n))

    def _note(self, page: httpx.Response) -> None:
        kind = f"{urlsplit(str(page.url)).path} {page.status_code}"
        if page.headers.get("content-type", "").startswith("text/html"):
            self.walk.html.setdefault(kind, page.text)


def _errors(html: str) -> list[str]:
    import html as entities
    import re

    found = re.search(r'nhsuk-error-summary__list">(.*?)</ul>', html, re.S)
    plain = re.sub(r"<[^>]+>", "\n", found[1]) if found else ""
    return [line.strip() for line in entities.unescape(plain).splitlines() if line.strip()]
