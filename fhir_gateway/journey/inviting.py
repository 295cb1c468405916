"""Inviting a patient by a client of the API: PDS first, then one text, once for each identifier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError

from fhir_gateway.errors import OutcomeUnknown, Refused, TryLater
from fhir_gateway.fhir.types import Resource
from fhir_gateway.journey import invitations as links
from fhir_gateway.journey.invitation_check import obstacle
from fhir_gateway.journey.invitations import TooManyTexts
from fhir_gateway.journey.limits import TextCaps
from fhir_gateway.provider.service import Service
from fhir_gateway.sms.sender import TextSender
from fhir_gateway.store import invitations
from fhir_gateway.store.database import Database
from fhir_gateway.store.invitations import Invitation, InvitationState

#: Another try of the same invitation may be under way for so long.
IN_HAND = timedelta(minutes=2)
TOO_MANY_TEXTS = "too-many-texts"


@dataclass(frozen=True, slots=True)
class Invitee:
    """Whom to invite to what. `key`: the provider, and the client's name of this invitation."""

    key: tuple[str, ...]
    service: Service
    nhs_number: str
    mobile: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Invited:
    """How it ended. `new`: whether this call sent it; `code`: why it was refused."""

    id: str
    state: InvitationState
    code: str = ""
    new: bool = True


@dataclass(frozen=True, slots=True)
class Inviter:
    """What inviting works with. `read`: a record of PDS by NHS number, on behalf of a service."""

    database: Database
    sender: TextSender
    caps: TextCaps
    gateway_url: str
    read: Callable[[Service, str], Resource | None]
    clock: Callable[[], datetime]


class AnotherMeant(Refused):
    """The identifier was used for another patient, number or service before."""

    def __init__(self) -> None:
        super().__init__(
            "The identifier is on another invitation that was sent before.", code="identifier-used"
        )


def invite(inviter: Inviter, invitee: Invitee) -> Invited:
    """Check on PDS and text the link, unless it was done before under the same key.

    Raises AnotherMeant; Refused when PDS or the sender says no; TryLater when it may be tried again
    under the same key: nothing was sent, or nobody knows yet and it will be looked at then.
    """
    known = _take(inviter, invitee)
    if known.state is not InvitationState.ASKED:
        return Invited(known.id, known.state, known.code, new=False)
    try:
        return _sent(inviter, invitee, known)
    except OutcomeUnknown as error:
        raise TryLater(str(error), code=error.code, after=IN_HAND.total_seconds()) from None
    except (TryLater, Refused):
        # Nothing left: it may be tried again at once.
        with inviter.database.transaction() as tx:
            invitations.ask_again(tx, known.id, now=inviter.clock() - IN_HAND)
        raise


def _sent(inviter: Inviter, invitee: Invitee, known: Invitation) -> Invited:
    reference = f"{known.id}:link"
    if known.code == _LOOK and inviter.sender.find(reference) is not None:
        return _settled(inviter, known.id, InvitationState.SENT)
    found = obstacle(invitee.nhs_number, lambda number: inviter.read(invitee.service, number))
    if found is not None:
        return _settled(inviter, known.id, InvitationState.REFUSED, found.value)
    return _text(inviter, invitee, known.id, reference)


#: Of an invitation in hand that was in hand before: whether its text left must be looked up.
_LOOK = "look"


def _text(inviter: Inviter, invitee: Invitee, invitation_id: str, reference: str) -> Invited:
    try:
        made = links.send_link(
            inviter.database,
            inviter.sender,
            invitee.service,
            inviter.gateway_url,
            caps=inviter.caps,
            mobile=invitee.mobile,
            nhs_number=invitee.nhs_number,
            expires_at=invitee.expires_at,
            now=inviter.clock(),
            reference=reference,
        )
    except TooManyTexts:
        return _settled(inviter, invitation_id, InvitationState.REFUSED, TOO_MANY_TEXTS)
    return _settled(inviter, invitation_id, InvitationState.SENT, link_id=made.link_id)


def _take(inviter: Inviter, invitee: Invitee) -> Invitation:
    """Take it in hand, or find how it ended."""
    sealer = inviter.database.sealer
    key = sealer.mac("invitation", *invitee.key)
    content = sealer.mac("invited", invitee.service.slug, invitee.nhs_number, invitee.mobile)
    try:
        with inviter.database.transaction() as tx:
            now = inviter.clock()
            known = invitations.hold(tx, key)
            if known is None:
                new = invitations.ask(tx, key, content, now=now)
                return Invitation(new, content, InvitationState.ASKED, "", None, now)
            if known.content_mac != content:
                raise AnotherMeant
            retryable = known.state is InvitationState.REFUSED and known.code == TOO_MANY_TEXTS
            if known.state is not InvitationState.ASKED and not retryable:
                return known
            if known.state is InvitationState.ASKED and now - known.asked_at < IN_HAND:
                left = (known.asked_at + IN_HAND - now).total_seconds()
                raise TryLater("It is in hand already", code="invitation-in-hand", after=left)
            invitations.ask_again(tx, known.id, now=now)
            return Invitation(known.id, content, InvitationState.ASKED, _LOOK, None, now)
    except IntegrityError:
        raise TryLater("It is in hand already", code="invitation-in-hand", after=1.0) from None


def _settled(
    inviter: Inviter,
    invitation_id: str,
    state: InvitationState,
    code: str = "",
    link_id: str | None = None,
) -> Invited:
    with inviter.database.transaction() as tx:
        invitations.settle(tx, invitation_id, state, code=code, link_id=link_id)
    return Invited(invitation_id, state, code)
