"""Making a request: beginning a draft, answering its pages, stopping, and handing it over.

Every function works within the caller's transaction; none talks to the network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from fhir_gateway.errors import Refused
from fhir_gateway.fhir.types import Element, Resource
from fhir_gateway.journey.attachments import with_data
from fhir_gateway.journey.flow import Flow, Step, StepKind
from fhir_gateway.questionnaire.calculation import calculated
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.population import populated
from fhir_gateway.questionnaire.response import Address, with_answers
from fhir_gateway.questionnaire.wording import completed_in_published_words
from fhir_gateway.store import counters, drafts
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.drafts import Draft, DraftState, Progress
from fhir_gateway.store.links import Link

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Submission:
    """What is handed to delivery: a completed, valid response, and what was verified before.

    `evidence`: `verified` (E.164 number → ISO time) and `bound_to` (NHS number and mobile of a
    link made for one patient, or None).
    """

    response: Resource
    evidence: dict[str, Any]


class NotReady(Refused):
    """Steps are still open; the request cannot be sent yet."""

    def __init__(self, step: Step) -> None:
        super().__init__(f"the step {step.kind} {step.name} is still open", code="not-ready")
        self.step = step


def begin(
    tx: Transaction, *, visit_id: str, link: Link, token: str, definition: Definition, now: datetime
) -> str:
    """Begin a draft for a link; its id."""
    return drafts.create(
        tx,
        visit_id=visit_id,
        link_id=link.id,
        service_slug=link.service_slug,
        questionnaire=definition.canonical,
        progress=Progress(response=populated(definition, now=now), link_token=token),
        now=now,
    )


def answer(
    tx: Transaction,
    draft: Draft,
    flow: Flow,
    step: Step,
    answers: Mapping[Address, list[Element]],
    *,
    now: datetime,
) -> Flow:
    """Take the answers of one page. They are kept when nothing on the page is wrong; the returned
    flow says what is, and what comes next."""
    after = tried(flow, step, answers)
    here = after.step(StepKind.PAGE, step.name)
    if here is None or not after.page_issues(here.page.nodes if here.page else ()):
        draft.progress.response = after.progress.response
        draft.progress.visited = after.progress.visited
        drafts.save(tx, draft, now=now)
    return after


def tried(flow: Flow, step: Step, answers: Mapping[Address, list[Element]]) -> Flow:
    """What the flow would be with these answers to one page; nothing is kept."""
    progress = flow.progress
    attempt = replace(
        progress,
        response=calculated(flow.definition, with_answers(flow.tree, answers), now=flow.now),
        visited=[*dict.fromkeys([*progress.visited, step.name])],
    )
    return Flow(flow.definition, attempt, now=flow.now)


def with_response(flow: Flow, response: Resource) -> Flow:
    """The same flow for another response; nothing is kept."""
    progress = replace(flow.progress, response=response)
    return Flow(flow.definition, progress, now=flow.now)


def answer_without_code(
    tx: Transaction, draft: Draft, flow: Flow, step: Step, *, now: datetime
) -> Flow:
    """Go on without a security code: the question whether to send one is answered with no."""
    if step.contact is None:
        return flow
    asked = step.contact.asked_by.address
    return answer(
        tx, draft, flow, Step(StepKind.PAGE, step.name), {asked: [{"valueBoolean": False}]}, now=now
    )


def stop(tx: Transaction, draft: Draft, flow: Flow, step: Step, *, now: datetime) -> None:
    """End a draft because of an emergency: counted per service and Questionnaire, and all answers
    deleted but those that led to the page, so that it can be shown again."""
    key = f"stop:{draft.service_slug}:{draft.questionnaire.rpartition('/')[2]}:{step.name}"
    counters.add(tx, key[:160], _DAY, now=now)
    nodes = step.page.nodes if step.page else ()
    kept = {c.question for node in nodes for c in node.item.conditions}
    emptied: dict[Address, list[Element]] = {
        node.address: []
        for node in flow.tree.nodes()
        if node.item.is_question and node.item.link_id not in kept
    }
    draft.progress.response = with_answers(flow.tree, emptied)
    draft.progress.verified = {}
    drafts.save(tx, draft, now=now, state=DraftState.STOPPED)


def stops(tx: Transaction, service_slug: str) -> int:
    """How many requests to a service ended at a stop."""
    return sum(counters.total(tx, f"stop:{service_slug}:").values())


def submission(
    draft: Draft,
    flow: Flow,
    link: Link | None,
    *,
    now: datetime,
    files: Callable[[str], bytes | None] = lambda _: None,
) -> Submission:
    """The completed response in the words of the published Questionnaire (`flow` is of that one)
    with its files (`files` reads them), and the evidence.

    Raises NotReady while a step is open or anything in the whole response is wrong.
    """
    open_step = flow.first_open()
    if open_step.kind is not StepKind.CHECK or flow.issues:
        raise NotReady(open_step)
    bound = link.bound_to if link else None
    return Submission(
        response=with_data(
            completed_in_published_words(flow.definition, draft.progress.response, now=now),
            files,
        ),
        evidence={
            "verified": draft.progress.verified,
            "bound_to": (
                {"nhs_number": bound.nhs_number, "mobile": bound.mobile} if bound else None
            ),
        },
    )
