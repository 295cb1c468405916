"""Twilio Programmable Messaging (https://www.twilio.com/docs/messaging/api/message-resource).

It has no reference of the sender's to look a text up by. So after an unknown outcome nobody can
look, and a text is rather missing than sent twice. Our reference travels in the address of the
status callback, to be recognised there.
"""

from __future__ import annotations

from urllib.parse import urlencode

import httpx

from fhir_gateway.errors import GatewayError, OutcomeUnknown, Refused, TryLater
from fhir_gateway.fhir import json as strict_json
from fhir_gateway.fhir.http import retry_after
from fhir_gateway.fhir.types import as_dict, as_str
from fhir_gateway.sms.sender import SentText, TextStatus

TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_NOT_DONE = frozenset({408, 425, 429, 503})
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
STATUSES = {
    "delivered": TextStatus.DELIVERED,
    "read": TextStatus.DELIVERED,
    "undelivered": TextStatus.UNREACHABLE,
    "failed": TextStatus.NOT_SENT,
    "canceled": TextStatus.NOT_SENT,
}


class TwilioSender:
    """A TextSender through one Twilio account.

    `sender`: a number (E.164), an alphanumeric sender or a Messaging Service (`MG…`).
    `callback`: where Twilio posts statuses; "" for nowhere.
    """

    def __init__(
        self,
        base_url: str,
        account: str,
        auth_token: str,
        sender: str,
        *,
        callback: str = "",
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        if not (account.startswith("AC") and account.isalnum()):
            raise Refused("The account SID of Twilio starts with AC.", code="twilio-account")
        self._path = f"/2010-04-01/Accounts/{account}/Messages.json"
        self._from = "MessagingServiceSid" if sender.startswith("MG") else "From"
        self._sender = sender
        self._callback = callback
        self._http = httpx.Client(
            base_url=base_url.rstrip("/"),
            auth=httpx.BasicAuth(account, auth_token),
            timeout=TIMEOUT,
            transport=transport,
            follow_redirects=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(
        self, *, to: str, text: str, reference: str, nhs_number: str | None = None
    ) -> SentText:
        """See TextSender."""
        del nhs_number
        form = {"To": to, self._from: self._sender, "Body": text}
        if self._callback:
            form["StatusCallback"] = f"{self._callback}?{urlencode({'reference': reference})}"
        try:
            response = self._http.post(self._path, data=form)
        except _NOT_SENT as error:
            raise TryLater(
                f"Twilio could not be reached ({type(error).__name__})", code="twilio-unreachable"
            ) from None
        except httpx.HTTPError as error:
            raise OutcomeUnknown(
                f"Twilio fell silent ({type(error).__name__})", code="twilio-silent"
            ) from None
        body = _body(response)
        if not response.is_success:
            raise _error(response, body)
        text_id = as_str(body.get("sid"))
        if not text_id:
            raise OutcomeUnknown("Twilio's answer has no sid", code="twilio-shape")
        status = STATUSES.get(as_str(body.get("status")), TextStatus.UNDER_WAY)
        return SentText(text_id, reference, status)

    def find(self, reference: str) -> SentText | None:
        """Refused: there is nothing to look by."""
        del reference
        raise Refused("Twilio keeps no reference to look a text up by", code="twilio-cannot-look")


def _body(response: httpx.Response) -> dict[str, object]:
    try:
        return as_dict(strict_json.parse(response.content))
    except strict_json.JsonRefused:
        return {}


def _error(response: httpx.Response, body: dict[str, object]) -> GatewayError:
    """By the status. Twilio's number of the error is for operators; its words quote phones."""
    number = body.get("code")
    message = f"Twilio answered {response.status_code} ({number if number else 'no code'})"
    code = f"twilio-{response.status_code}"
    if response.status_code in _NOT_DONE:
        after = retry_after(response.headers.get("retry-after"))
        return TryLater(message, code=code, after=after)
    if response.is_server_error:
        return OutcomeUnknown(message, code=code)
    return Refused(message, code=code)
