"""What providers report of texts later: who may report, and what it says. Pure.

A number that is in a report is never looked at, so it gets nowhere.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fhir_gateway.errors import Refused
from fhir_gateway.fhir import json as strict_json
from fhir_gateway.fhir.types import as_dict, as_list, as_str
from fhir_gateway.sms import twilio
from fhir_gateway.sms.sender import TextStatus

_NOTIFY = {
    "delivered": TextStatus.DELIVERED,
    "permanent-failure": TextStatus.UNREACHABLE,
    "temporary-failure": TextStatus.UNREACHABLE,
    "technical-failure": TextStatus.NOT_SENT,
}
_NHS_NOTIFY = {
    "delivered": TextStatus.DELIVERED,
    "failed": TextStatus.UNREACHABLE,
    "sending": TextStatus.UNDER_WAY,
    "enriched": TextStatus.UNDER_WAY,
    "pending_enrichment": TextStatus.UNDER_WAY,
    "created": TextStatus.UNDER_WAY,
}


class BadKey(Refused):
    """Who reports does not show the key that was agreed."""

    def __init__(self) -> None:
        super().__init__("The report shows no key that was agreed.", code="receipt-key")


class BadSignature(Refused):
    """What is reported is not signed by who shows the key."""

    def __init__(self) -> None:
        super().__init__("The report is not signed as agreed.", code="receipt-signature")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a text. `text_id`: the provider's; `reference`: ours; one may be empty."""

    text_id: str
    reference: str
    status: TextStatus


def of_notify(authorization: str, body: bytes, token: str) -> list[Receipt]:
    """A delivery receipt of GOV.UK Notify, which shows the bearer token that it was given.

    Raises BadKey, JsonRefused.
    """
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() != "bearer" or not _same(given.strip(), token):
        raise BadKey
    report = as_dict(strict_json.parse(body))
    status = _NOTIFY.get(as_str(report.get("status")))
    if status is None:
        return []
    return [Receipt(as_str(report.get("id")), as_str(report.get("reference")), status)]


def of_nhs_notify(
    headers: Mapping[str, str], body: bytes, *, application_id: str, api_key: str
) -> list[Receipt]:
    """A callback of NHS Notify: it shows the API key, and signs with `APPLICATION_ID.API_KEY`.

    Raises BadKey, BadSignature, JsonRefused.
    """
    if not _same(headers.get("x-api-key", ""), api_key):
        raise BadKey
    secret = f"{application_id}.{api_key}".encode()
    expected = hmac.new(secret, body, hashlib.sha256).hexdigest()
    if not _same(headers.get("x-hmac-sha256-signature", "").lower(), expected):
        raise BadSignature
    return list(_nhs_notify(as_list(as_dict(strict_json.parse(body)).get("data"))))


def _nhs_notify(data: Sequence[object]) -> Iterator[Receipt]:
    for item in map(as_dict, data):
        attributes = as_dict(item.get("attributes"))
        if item.get("type") != "MessageStatus":
            continue  # of a channel of a message, not of the message
        status = _NHS_NOTIFY.get(as_str(attributes.get("messageStatus")))
        if status is not None:
            text_id = as_str(attributes.get("messageId"))
            yield Receipt(text_id, as_str(attributes.get("messageReference")), status)


def of_twilio(
    url: str, form: Sequence[tuple[str, str]], signature: str, auth_token: str, reference: str
) -> list[Receipt]:
    """A status callback of Twilio, signed with the account's token over address and form.

    https://www.twilio.com/docs/usage/security. Raises BadSignature.
    """
    signed = url + "".join(name + value for name, value in sorted(form))
    digest = hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()
    if not _same(signature, base64.b64encode(digest).decode()):
        raise BadSignature
    values = dict(form)
    status = twilio.STATUSES.get(values.get("MessageStatus", ""), TextStatus.UNDER_WAY)
    return [Receipt(values.get("MessageSid", ""), reference, status)]


def _same(given: str, expected: str) -> bool:
    """Compare in constant time; an agreed key that is empty is none."""
    return bool(expected) and hmac.compare_digest(given.encode(), expected.encode())
