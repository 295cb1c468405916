"""The language of the pages: those that the Questionnaire is translated into."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from fhir_gateway.store import drafts
from fhir_gateway.web.forms import Form
from fhir_gateway.web.languages_offered import choice, offered
from fhir_gateway.web.site import Opened, Site, open_draft, path_of, see, site_of

router = APIRouter(include_in_schema=False)


@router.post("/requests/{draft_id}/language")
def choose(request: Request, draft_id: str, form: Form) -> Response:
    """Go on in another language; what was answered stays."""
    site = site_of(request)
    with site.database.transaction() as tx:
        opened = open_draft(request, tx, draft_id, lock=True)
        if isinstance(opened, Response):
            return opened
        published = site.catalogue.definition(opened.draft.questionnaire).raw
        wanted = form.text("language")
        if wanted in offered(published):
            opened.draft.progress.language = wanted
            drafts.save(tx, opened.draft, now=site.clock())
    return see(path_of(draft_id, opened.flow.first_open()))


def language_choice(site: Site, opened: Opened) -> dict[str, Any]:
    """What a page's template needs for choosing a language."""
    published = site.catalogue.definition(opened.draft.questionnaire).raw
    return {
        "languages": choice(published, opened.draft.progress.language),
        "language_action": f"/requests/{opened.draft.id}/language",
    }
