"""Forms that come in: read once, and only from ourselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData

from fhir_gateway.web import visitor
from fhir_gateway.web.headers import MAX_FIELDS, MAX_FILES
from fhir_gateway.web.site import site_of


class ForeignForm(Exception):
    """A POST that does not come from a form of ours in this browser."""


@dataclass(frozen=True, slots=True)
class OwnForm:
    """A form that is ours: its fields, and the visitor's token."""

    fields: FormData
    visitor: str

    def text(self, name: str) -> str:
        """The value of a field, or ''."""
        value = self.fields.get(name, "")
        return value if isinstance(value, str) else ""


async def _own_form(request: Request) -> AsyncIterator[OwnForm]:
    site = site_of(request)
    # Uploaded files wait in temporary files, which end with the request.
    async with request.form(max_files=MAX_FILES, max_fields=MAX_FIELDS) as fields:
        token = visitor.read_cookie(request, site.base_url)
        posted = fields.get(visitor.FORM_TOKEN, "")
        sealer = site.database.sealer
        if not isinstance(posted, str) or not visitor.is_own_form(
            request, sealer, site.base_url, token, posted
        ):
            raise ForeignForm
        yield OwnForm(fields, token)


Form = Annotated[OwnForm, Depends(_own_form)]
