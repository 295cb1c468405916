"""Save and come back later: a draft that is opened again by the same link and a code by text.

A draft that is saved outlives its session. Its key is an HMAC of the link and the mobile number, so
that neither is stored with it; who comes back proves the number with a security code, and goes on
in a session of their own. When the service's Questionnaire has a newer version by then, the answers
that still fit are carried over (docs/decisions/0016).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from fhir_gateway.provider.service import Service
from fhir_gateway.questionnaire.carry import Carried, carry_over
from fhir_gateway.questionnaire.catalogue import Catalogue, UnknownQuestionnaire
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.enablement import Enablement
from fhir_gateway.questionnaire.paging import pages
from fhir_gateway.questionnaire.response import ResponseTree
from fhir_gateway.store import drafts
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.drafts import Draft

#: How long a saved draft waits.
KEPT = timedelta(days=7)


def save(tx: Transaction, draft: Draft, number: str, *, now: datetime) -> datetime:
    """Save a draft for who has this link and this number (E.164); until when."""
    until = now + KEPT
    mac = _mac(tx, draft.link_id, number)
    drafts.save_for_later(tx, draft.id, mac, until=until, now=now)
    return until


def find(tx: Transaction, link_id: str, number: str, *, now: datetime) -> Draft | None:
    """The saved draft of a link and a number."""
    return drafts.find_saved(tx, _mac(tx, link_id, number), now=now)


def resume(
    tx: Transaction,
    draft: Draft,
    visit_id: str,
    *,
    service: Service,
    catalogue: Catalogue,
    now: datetime,
) -> Draft:
    """Go on with a saved draft in another session, on the version that the service uses now."""
    canonical = _current(draft.questionnaire, service)
    progress = draft.progress
    if canonical != draft.questionnaire:
        new = catalogue.definition(canonical)
        canonical = new.canonical
        try:
            old = catalogue.definition(draft.questionnaire)
        except UnknownQuestionnaire:
            # The old version is gone; only the names of what was dropped would come from it.
            old = new
        if canonical != draft.questionnaire:
            carried = carry_over(progress.response, old, new)
            progress = replace(
                progress,
                response=carried.response,
                visited=_still_answered(progress.visited, carried, old, new, now=now),
                dropped=list(carried.dropped.values()),
            )
    moved = replace(draft, visit_id=visit_id, questionnaire=canonical, progress=progress)
    drafts.move(tx, moved, visit_id, questionnaire=canonical, now=now)
    return moved


def _still_answered(
    visited: list[str], carried: Carried, old: Definition, new: Definition, *, now: datetime
) -> list[str]:
    """The pages that need not be shown again: nothing on them is new or was dropped."""
    tree = ResponseTree(new, carried.response)
    return [
        page.name
        for page in pages(Enablement(tree, now=now))
        if page.name in visited
        and all(
            node.item.link_id in old.by_link_id and node.item.link_id not in carried.dropped
            for node in page.questions
        )
    ]


def _current(questionnaire: str, service: Service) -> str:
    """The canonical of the same Questionnaire that the service uses now."""
    url = questionnaire.partition("|")[0]
    return next(
        (
            request_type.questionnaire
            for request_type in service.request_types
            if request_type.questionnaire.partition("|")[0] == url
        ),
        questionnaire,
    )


def _mac(tx: Transaction, link_id: str, number: str) -> str:
    return tx.sealer.mac("saved-draft", link_id, number)
