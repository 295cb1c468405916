"""Security codes by text: sending, and checking what was typed.

Rules (docs/decisions/0005; stricter of GOV.UK Design System, OWASP ASVS 5 6.5-6.6 and NIST
800-63B): 6 digits, 10 minutes, 5 tries a code, 3 codes per 30 minutes, a new code kills the old,
used once, kept as an HMAC with a key outside the database, compared in constant time. Over a limit
the page looks the same and nothing is sent.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from fhir_gateway.errors import GatewayError
from fhir_gateway.journey import limits, tokens
from fhir_gateway.journey.limits import Limit, TextCaps
from fhir_gateway.sms.sender import TextSender
from fhir_gateway.store import codes, drafts
from fhir_gateway.store.database import Database, Transaction
from fhir_gateway.store.drafts import Draft
from fhir_gateway.store.seal import same

DIGITS = 6
LIFE = timedelta(minutes=10)
MAX_TRIES = 5
#: What people type between digits.
_SEPARATORS = re.compile(r"[\s\-–—.]+")


class Sending(StrEnum):
    """How sending a code ended. The page must not tell LIMITED from SENT."""

    SENT = "sent"
    LIMITED = "limited"
    FAILED = "failed"


class Checking(StrEnum):
    """How checking a typed code ended."""

    ACCEPTED = "accepted"
    MALFORMED = "malformed"
    WRONG = "wrong"
    EXPIRED = "expired"
    TOO_MANY_TRIES = "too-many-tries"


@dataclass(frozen=True, slots=True)
class CodeText:
    """What the text says beside the code: the service, and the host for domain-bound codes."""

    service_name: str
    host: str

    def compose(self, code: str) -> str:
        """Code first; the last line binds it to this site for browsers that fill it in
        (https://wicg.github.io/sms-one-time-codes/)."""
        name = self.service_name[:60]
        return f"{code} is your security code for {name}.\n\n@{self.host} #{code}"


def send(
    database: Database,
    sender: TextSender,
    draft: Draft,
    number: str,
    *,
    address: str,
    words: CodeText,
    caps: TextCaps,
    now: datetime,
) -> Sending:
    """Text a new code to `number` (E.164); every older code of the draft is dead.

    `address`: where the request came from, for the caps.
    """
    code = tokens.security_code(DIGITS)
    code_id = str(uuid.uuid4())
    with database.transaction() as tx:
        if limits.admit(tx, _limits(draft, number, address, caps), now=now):
            return Sending.LIMITED
        codes.add(
            tx,
            code_id=code_id,
            draft_id=draft.id,
            contact_mac=_contact_mac(tx, draft.id, number),
            code_mac=_code_mac(tx, code_id, code),
            expires_at=now + LIFE,
            now=now,
        )
    try:
        sender.send(to=number, text=words.compose(code), reference=f"{code_id}:code")
    except GatewayError:
        return Sending.FAILED
    return Sending.SENT


def check(
    database: Database, draft_id: str, visit_id: str, number: str, typed: str, *, now: datetime
) -> Checking:
    """Check what was typed against the draft's current code; on success the number is verified.

    The try is counted, and committed, before the comparison, so that tries in parallel cannot
    have more than MAX_TRIES.
    """
    digits = _SEPARATORS.sub("", typed)
    if not re.fullmatch(rf"[0-9]{{{DIGITS}}}", digits):
        return Checking.MALFORMED
    with database.transaction() as tx:
        code = codes.current(tx, draft_id)
        tries = codes.count_try(tx, code.id) if code else 0
    if code is None:
        return Checking.EXPIRED
    if tries > MAX_TRIES:
        return Checking.TOO_MANY_TRIES
    with database.transaction() as tx:
        right = same(code.code_mac, _code_mac(tx, code.id, digits))
        right &= same(code.contact_mac, _contact_mac(tx, draft_id, number))
        if not right:
            return Checking.TOO_MANY_TRIES if tries == MAX_TRIES else Checking.WRONG
        if now >= code.expires_at:
            return Checking.EXPIRED
        draft = drafts.find(tx, draft_id, visit_id, lock=True)
        current = codes.current(tx, draft_id)
        if draft is None or current is None or current.id != code.id:
            return Checking.EXPIRED
        codes.close_all(tx, draft_id, now=now)
        draft.progress.verified[number] = now.isoformat(timespec="seconds")
        drafts.save(tx, draft, now=now)
    return Checking.ACCEPTED


def _limits(draft: Draft, number: str, address: str, caps: TextCaps) -> Sequence[tuple[Limit, str]]:
    return [
        (limits.CODES_PER_DRAFT, draft.id),
        (caps.number_codes, number),
        (caps.number_texts, number),
        (caps.link_codes, draft.link_id),
        (caps.address_codes, address),
        (caps.all_codes, "all"),
    ]


def _code_mac(tx: Transaction, code_id: str, code: str) -> str:
    return tx.sealer.mac("security-code", code_id, code)


def _contact_mac(tx: Transaction, draft_id: str, number: str) -> str:
    return tx.sealer.mac("security-code-contact", draft_id, number)
