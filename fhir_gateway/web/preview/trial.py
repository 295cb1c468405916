"""A Questionnaire that is tried out: its pages, and the response so far, in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from fhir_gateway.fhir.types import Element, Resource
from fhir_gateway.journey.attachments import with_data
from fhir_gateway.journey.flow import CHECK, Flow, Step, StepKind
from fhir_gateway.journey.requests import tried
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.issues import Issue
from fhir_gateway.questionnaire.linting import Finding
from fhir_gateway.questionnaire.population import populated
from fhir_gateway.questionnaire.response import Address
from fhir_gateway.questionnaire.translation import languages, translated
from fhir_gateway.questionnaire.validation import issues
from fhir_gateway.questionnaire.wording import completed_in_published_words
from fhir_gateway.store.drafts import Progress
from fhir_gateway.web.turn import Turn


@dataclass(slots=True)
class Trial:
    """One Questionnaire with what was answered so far.

    `findings`: what lint says of it. `files`: uploaded files by their id, kept in memory only.
    """

    key: str
    definition: Definition
    clock: Callable[[], datetime]
    findings: list[Finding] = field(default_factory=list)
    language: str = ""
    progress: Progress = field(default_factory=lambda: Progress(response={}))
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.start_again()

    def start_again(self) -> None:
        """Forget every answer."""
        self.progress = Progress(response=populated(self.definition, now=self.clock()))
        self.files.clear()

    @property
    def flow(self) -> Flow:
        """The steps now. A code cannot be texted from here, so that step is left out."""
        return without_codes(Flow(self.shown, self.progress, now=self.clock()))

    @property
    def shown(self) -> Definition:
        """The Questionnaire in the language that was chosen."""
        if self.language not in languages(self.definition.raw):
            return self.definition
        return Definition(translated(self.definition.raw, self.language), self.definition.registry)

    def keep(self, base: Flow, step: Step, answers: dict[Address, list[Element]]) -> None:
        """Keep the answers of a page."""
        self.progress = tried(base, step, answers).progress

    def keep_at_once(self, step: Step, turn: Turn) -> None:
        """Keep the files of a page, and what was removed, whatever else is wrong with it."""
        if turn.shortened is not None:
            self.progress.response = turn.shortened
        elif turn.files:
            self.progress.response = tried(turn.base, step, turn.files).progress.response

    def response(self) -> Resource:
        """The response as it would be sent."""
        response = self.progress.response
        return completed_in_published_words(self.definition, response, now=self.clock())

    def judged(self) -> list[Issue]:
        """What validation says of it."""
        return issues(self.definition, self.response(), now=self.clock())

    def with_files(self) -> Resource:
        """The response with the files in it."""
        return with_data(self.response(), lambda id_: self.files.get(id_, ("", None))[1])


def without_codes(flow: Flow) -> Flow:
    """The same steps without security codes."""
    flow.steps = [step for step in flow.steps if step.kind is not StepKind.CODE] or [CHECK]
    return flow
