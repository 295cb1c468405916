"""From what was typed to an identity: ask PDS by the plan, grade what it returns.

One piece of code for the step of a request, the command `trace` and the benchmark.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from fhir_gateway.errors import Refused
from fhir_gateway.fhir.types import Resource
from fhir_gateway.matching import plan
from fhir_gateway.matching.demographics import Demographics
from fhir_gateway.matching.grade import Proof, grade, history_may_help
from fhir_gateway.matching.outcome import Identity, Outcome, without_record
from fhir_gateway.matching.policy import DEFAULT_POLICY, Policy
from fhir_gateway.pds.answers import Answer, Found, NotFound, TooMany

#: Asks PDS one question. Raises Refused, TryLater.
Ask = Callable[[plan.Question], Answer]


@dataclass(frozen=True, slots=True)
class Traced:
    """`record`: what PDS returned, matched or not. `steps`: the questions that were asked."""

    identity: Identity
    record: Resource | None
    score: float | None
    steps: tuple[str, ...]


def identify(
    typed: Demographics,
    proof: Proof,
    ask: Ask,
    *,
    today: date,
    bound_to: str | None = None,
    policy: Policy = DEFAULT_POLICY,
    needs_phone: bool = True,
) -> Traced:
    """Trace and grade. Raises TryLater, for the caller to come back; a refusal is an outcome.

    `needs_phone`: whether a trace without a proved phone is lost anyway, so that nothing more is
    asked for it.
    """
    steps: list[str] = []

    def put(question: plan.Question) -> Answer:
        steps.append(question.step)
        return ask(question)

    def graded(found: Found, asked: str | None) -> Identity:
        return grade(typed, found.record, proof, today=today, asked=asked, policy=policy)

    answer: Answer | None = None
    question: plan.Question | None = None
    try:
        for question in plan.plan(typed, bound_to=bound_to):
            answer = put(question)
            if isinstance(answer, Found) or _is_final(question, answer):
                break
        if not isinstance(answer, Found):
            return Traced(without_record(typed, _outcome(answer)), None, None, tuple(steps))
        asked = question.nhs_number if isinstance(question, plan.Read) else None
        identity = graded(answer, asked)
        if asked is None and history_may_help(identity, needs_phone=needs_phone):
            whole = put(plan.Read(answer.nhs_number, step="history"))
            if isinstance(whole, Found) and whole.nhs_number == answer.nhs_number:
                return Traced(graded(whole, None), whole.record, answer.score, tuple(steps))
    except Refused as refused:
        identity = without_record(typed, Outcome.REFUSED, code=refused.code)
        return Traced(identity, None, None, tuple(steps))
    return Traced(identity, answer.record, answer.score, tuple(steps))


def _is_final(question: plan.Question, answer: Answer) -> bool:
    several = isinstance(answer, TooMany)
    return several and isinstance(question, plan.Search) and question.several_is_final


def _outcome(answer: Answer | None) -> Outcome:
    match answer:
        case None:
            return Outcome.NOT_ASKED
        case NotFound(invalidated=True):
            return Outcome.INVALIDATED
        case TooMany():
            return Outcome.SEVERAL
        case _:
            return Outcome.NOT_FOUND
