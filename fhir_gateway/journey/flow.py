"""Which steps a person has to take now, in order, and which of them are done. Pure.

The steps follow from the Questionnaire alone: its pages; after a page that asks to verify a
contact, and was answered yes, the security code; the check-your-answers page; or, where a page
ends the request, nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from fhir_gateway.fhir.types import as_str
from fhir_gateway.questionnaire import extensions as ext
from fhir_gateway.questionnaire.completion import completed
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.enablement import Enablement
from fhir_gateway.questionnaire.expressions import Scope
from fhir_gateway.questionnaire.issues import Issue
from fhir_gateway.questionnaire.paging import Page, on_check_page, pages
from fhir_gateway.questionnaire.response import Address, Node, ResponseTree
from fhir_gateway.questionnaire.texts import Texts
from fhir_gateway.questionnaire.validation import issues
from fhir_gateway.sms.number import normalise_mobile
from fhir_gateway.store.drafts import Progress


class StepKind(StrEnum):
    """What a step is."""

    PAGE = "page"
    CODE = "code"
    CHECK = "check"
    #: A page that ends the request.
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Contact:
    """A number that is to be verified by code: as typed, in E.164, and the item that asked."""

    asked_by: Node
    link_id: str
    number: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `name` is unique among the steps of a kind: a page's name, or ''."""

    kind: StepKind
    name: str = ""
    page: Page | None = None
    contact: Contact | None = None


CHECK = Step(StepKind.CHECK)


class Flow:
    """The steps for one state of a draft. `now` is the clock of expressions."""

    def __init__(self, definition: Definition, progress: Progress, *, now: datetime) -> None:
        self.definition = definition
        self.progress = progress
        self.now = now
        self.tree = ResponseTree(definition, progress.response)
        self.enablement = Enablement(self.tree, now=now)
        self.pages = pages(self.enablement)
        self.steps = self._steps()

    @cached_property
    def texts(self) -> Texts:
        """What this person reads."""
        return Texts(self.scope)

    @cached_property
    def scope(self) -> Scope:
        """What the author's expressions see."""
        return self.enablement.scope()

    @cached_property
    def issues(self) -> list[Issue]:
        """Everything that stands between this draft and a completed response."""
        response = completed(self.definition, self.progress.response, now=self.now)
        return [i for i in issues(self.definition, response, now=self.now) if i.severity == "error"]

    @property
    def declarations(self) -> list[Node]:
        """The items that stand on the check-your-answers page."""
        return on_check_page(self.enablement)

    def step(self, kind: StepKind, name: str = "") -> Step | None:
        """The step of this kind and name, if the person has it now."""
        return next((s for s in self.steps if s.kind is kind and s.name == name), None)

    def reachable(self, step: Step) -> bool:
        """Whether every step before it is done."""
        return all(self.is_done(earlier) for earlier in self.steps[: self._position(step)])

    def first_open(self) -> Step:
        """The first step that is not done."""
        return next((s for s in self.steps if not self.is_done(s)), self.steps[-1])

    def after(self, step: Step) -> Step:
        """The next step in order, done or not."""
        return self.steps[min(self._position(step) + 1, len(self.steps) - 1)]

    def before(self, step: Step) -> Step | None:
        """The step before it, or None for the first."""
        position = self._position(step)
        return self.steps[position - 1] if position else None

    def is_done(self, step: Step) -> bool:
        """A page is done when it was answered and nothing on it is wrong; the others never are:
        a code that is accepted, and a request that is sent, leave no step behind."""
        if step.page is None or step.kind is not StepKind.PAGE:
            return False
        return step.name in self.progress.visited and not self.page_issues(step.page.nodes)

    def page_issues(self, nodes: Sequence[Node]) -> list[Issue]:
        """The issues of these instances and all below them, in document order; then those of the
        sections that end with them, which stand on no page themselves."""
        addresses = {n.address: i for i, n in enumerate(n for node in nodes for n in node.walk())}
        addresses.update((a, len(addresses)) for a in self._ending_sections(nodes))
        found = [issue for issue in self.issues if issue.address in addresses]
        return sorted(found, key=lambda issue: addresses[issue.address or ()])

    def _ending_sections(self, nodes: Sequence[Node]) -> list[Address]:
        """The groups above these instances of which no later page has a part."""
        here = next((i for i, p in enumerate(self.pages) if nodes and p.nodes[0] is nodes[0]), None)
        if here is None:
            return []
        later = [node.address for page in self.pages[here + 1 :] for node in page.nodes]
        last = self.pages[here].nodes[-1].address
        above = [last[:depth] for depth in range(len(last) - 1, 0, -1)]
        return [a for a in above if not any(other[: len(a)] == a for other in later)]

    def _position(self, step: Step) -> int:
        """Where a step stands, whichever state of the draft it was made for; the end when it is
        not there now."""
        places = ((s.kind, s.name) for s in self.steps)
        here = (step.kind, step.name)
        return next((i for i, place in enumerate(places) if place == here), len(self.steps) - 1)

    def _steps(self) -> list[Step]:
        steps: list[Step] = []
        for page in self.pages:
            if page.stops:
                return [*steps, Step(StepKind.STOP, page.name, page)]
            steps.append(Step(StepKind.PAGE, page.name, page))
            contact = self._to_verify(page)
            if contact:
                steps.append(Step(StepKind.CODE, page.name, page, contact))
        return [*steps, CHECK]

    def _to_verify(self, page: Page) -> Contact | None:
        """The contact that this page asks to verify, answered yes, and that is not verified."""
        for node in page.questions:
            link_id = as_str(node.item.extension(ext.VERIFY_CONTACT))
            if not link_id or node.values != [True] or not self.enablement.is_enabled(node):
                continue
            source = self.tree.first(link_id)
            typed = source.values if source and self.enablement.is_enabled(source) else []
            number = normalise_mobile(as_str(typed[0])) if typed else None
            if number and number not in self.progress.verified:
                return Contact(node, link_id, number)
        return None
