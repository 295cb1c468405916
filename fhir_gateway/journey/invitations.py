"""Texting a link: the token is made here, and only its hash is kept."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from fhir_gateway.journey import limits, tokens
from fhir_gateway.journey.limits import TextCaps
from fhir_gateway.provider.service import Service
from fhir_gateway.sms.sender import TextSender
from fhir_gateway.sms.texts import segments
from fhir_gateway.store import links
from fhir_gateway.store.database import Database
from fhir_gateway.store.links import BoundPatient


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link that was made, and the text that carried it (None: it was only made)."""

    link_id: str
    url: str
    text_id: str | None


class TooManyTexts(Exception):
    """This number has had its texts for today."""


def make_link(
    database: Database,
    service: Service,
    base_url: str,
    *,
    bound_to: BoundPatient | None = None,
    expires_at: datetime | None = None,
    now: datetime,
) -> Invitation:
    """A new link to a service, for anyone or for one patient."""
    token = tokens.link_token()
    with database.transaction() as tx:
        link_id = links.add(
            tx, token, service.slug, bound_to=bound_to, expires_at=expires_at, now=now
        )
    return Invitation(link_id, f"{base_url}/r/{token}", None)


def send_link(
    database: Database,
    sender: TextSender,
    service: Service,
    base_url: str,
    *,
    caps: TextCaps,
    mobile: str,
    nhs_number: str | None = None,
    expires_at: datetime | None = None,
    now: datetime,
    reference: str | None = None,
) -> Invitation:
    """Make a link and text it to `mobile` (E.164). With an NHS number the link is for that patient
    alone. `reference`: of the text, by which it can be found again (None: a new one). Raises
    TooManyTexts, or what the sender raises."""
    with database.transaction() as tx:
        if limits.admit(tx, [(caps.number_texts, mobile)], now=now):
            raise TooManyTexts
    bound_to = BoundPatient(nhs_number, mobile) if nhs_number else None
    made = make_link(database, service, base_url, bound_to=bound_to, expires_at=expires_at, now=now)
    named = reference or f"{uuid.uuid4()}:link"
    sent = sender.send(to=mobile, text=compose(service, made.url), reference=named)
    return Invitation(made.link_id, made.url, sent.id)


def compose(service: Service, url: str) -> str:
    """The text: who it is from, what the link is for, and the whole link (NHS service manual,
    writing NHS messages). One part (160 characters) when the names allow."""
    full = (
        f"{service.organisation_name}: contact the {service.name} team about your care here: {url}"
    )
    short = f"{service.name}: contact the team about your care here: {url}"
    return full if segments(full) == 1 else short
