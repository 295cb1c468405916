"""A Questionnaire that is tried out: its pages, and the response so far, in memory."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from fhir_gateway.fhir.types import Element, Resource
from fhir_gateway.journey.flow import CHECK, Flow, Step, StepKind
from fhir_gateway.journey.requests import tried
from fhir_gateway.questionnaire.completion import completed
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.issues import Issue
from fhir_gateway.questionnaire.lint import Finding
from fhir_gateway.questionnaire.population import populated
from fhir_gateway.questionnaire.response import Address
from fhir_gateway.questionnaire.validation import issues
from fhir_gateway.store.drafts import Progress


@dataclass(slots=True)
class Trial:
    """One Questionnaire with what was answered so far.

    `findings`: what lint says of it. `files`: uploaded files by their id, kept in memory only.
    """

    key: str
    definition: Definition
    clock: Callable[[], datetime]
    findings: list[Finding] = field(default_factory=list)
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
        return without_codes(Flow(self.definition, self.progress, now=self.clock()))

    def keep(self, base: Flow, step: Step, answers: dict[Address, list[Element]]) -> None:
        """Keep the answers of a page."""
        self.progress = tried(base, step, answers).progress

    def keep_files(self, base: Flow, step: Step, files: dict[Address, list[Element]]) -> None:
        """Keep the files of a page, whatever else is wrong with it."""
        if files:
            visited = self.progress.visited
            kept = tried(base, step, files).progress
            self.progress = replace(kept, visited=visited)

    def response(self) -> Resource:
        """The response as it would be sent."""
        return completed(self.definition, self.progress.response, now=self.clock())

    def judged(self) -> list[Issue]:
        """What validation says of it."""
        return issues(self.definition, self.response(), now=self.clock())

    def with_files(self) -> Resource:
        """The response with the files in it."""
        return _filled(self.response(), self.files)


def without_codes(flow: Flow) -> Flow:
    """The same steps without security codes."""
    flow.steps = [step for step in flow.steps if step.kind is not StepKind.CODE] or [CHECK]
    return flow


def _filled(value: object, files: dict[str, tuple[str, bytes]]) -> Resource:
    def fill(part: object) -> object:
        if isinstance(part, list):
            return [fill(entry) for entry in part]
        if not isinstance(part, dict):
            return part
        url = part.get("url")
        if isinstance(url, str) and url.startswith("#") and url[1:] in files:
            data = base64.b64encode(files[url[1:]][1]).decode()
            return {**{k: v for k, v in part.items() if k != "url"}, "data": data}
        return {key: fill(entry) for key, entry in part.items()}

    filled = fill(value)
    return filled if isinstance(filled, dict) else {}
