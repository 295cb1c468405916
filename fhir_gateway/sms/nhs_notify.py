"""NHS Notify (https://digital.nhs.uk/developer/api-catalogue/nhs-notify): texts to patients by NHS
number, at the contact details that PDS has of them.

So it is for matched patients only, and never for security codes: these go to the number that
somebody typed. Its `messageReference` is a real idempotency key: sending again sends nothing.
"""

from __future__ import annotations

from typing import Any

import httpx

from fhir_gateway.errors import GatewayError, OutcomeUnknown, Refused, TryLater
from fhir_gateway.fhir import json as strict_json
from fhir_gateway.fhir.http import retry_after
from fhir_gateway.fhir.types import as_dict, as_list, as_str
from fhir_gateway.sms.sender import SentText, TextSender, TextStatus

TIMEOUT = httpx.Timeout(15.0, connect=5.0)
#: The routing plan of free text by SMS, which every account has.
FREE_TEXT_SMS = "00000000-0000-0000-0000-000000000003"
MAX_CHARACTERS = 918
_JSON_API = "application/vnd.api+json"
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
#: The least that NHS Notify asks clients to wait, in seconds, whatever its header says.
_PAUSES = {408: 0.0, 425: 300.0, 429: 5.0, 503: 0.0}
_UNPROCESSABLE = 422
_DUPLICATE_CODE = "CM_DUPLICATE_REQUEST"
_DUPLICATE_WORDS = "identical messageReference"


class NhsNotifySender:
    """A TextSender to matched patients.

    `base_url`: up to `/comms`. `auth`: the signed JWT of the NHS API platform. `ods_code`: of the
    organisation that sends. `routing_plan`: one with a placeholder `sms_body`.
    """

    def __init__(
        self,
        base_url: str,
        *,
        auth: httpx.Auth | None = None,
        ods_code: str = "",
        routing_plan: str = FREE_TEXT_SMS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._ods_code = ods_code
        self._routing_plan = routing_plan
        self._http = httpx.Client(
            base_url=base_url.rstrip("/"),
            auth=auth,
            timeout=TIMEOUT,
            transport=transport,
            follow_redirects=False,
            headers={"Accept": _JSON_API, "Content-Type": _JSON_API},
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(
        self, *, to: str, text: str, reference: str, nhs_number: str | None = None
    ) -> SentText:
        """See TextSender. `to` is not used: PDS has the number."""
        del to
        if nhs_number is None:
            raise Refused("NHS Notify sends to matched patients only", code="nhs-notify-unmatched")
        if len(text) > MAX_CHARACTERS:
            raise Refused("The text is too long for NHS Notify", code="nhs-notify-length")
        body = self._message(text, reference, nhs_number)
        try:
            response = self._http.post("/v1/messages", content=strict_json.dump(body))
        except _NOT_SENT as error:
            raise TryLater(
                f"NHS Notify could not be reached ({type(error).__name__})",
                code="nhs-notify-unreachable",
            ) from None
        except httpx.HTTPError as error:
            raise OutcomeUnknown(
                f"NHS Notify fell silent ({type(error).__name__})", code="nhs-notify-silent"
            ) from None
        answer = _body(response)
        if response.is_success:
            text_id = as_str(as_dict(answer.get("data")).get("id"))
            return SentText(text_id, reference, TextStatus.UNDER_WAY)
        if _is_duplicate(response, answer):
            return SentText("", reference, TextStatus.UNDER_WAY)
        raise _error(response, answer)

    def find(self, reference: str) -> SentText | None:
        """None: there is no need to look, as sending again sends nothing."""
        del reference
        return None

    def _message(self, text: str, reference: str, nhs_number: str) -> dict[str, Any]:
        attributes: dict[str, Any] = {
            "routingPlanId": self._routing_plan,
            "messageReference": reference,
            "recipient": {"nhsNumber": nhs_number},
            "personalisation": {"sms_body": text},
        }
        if self._ods_code:
            attributes["originator"] = {"odsCode": self._ods_code}
        return {"data": {"type": "Message", "attributes": attributes}}


class ByPatient:
    """A TextSender that sends to matched patients by `patients` (NHS Notify), and every other text,
    security codes first of all, by `numbers`."""

    def __init__(self, patients: TextSender, numbers: TextSender) -> None:
        self._patients = patients
        self._numbers = numbers

    def send(
        self, *, to: str, text: str, reference: str, nhs_number: str | None = None
    ) -> SentText:
        """See TextSender."""
        sender = self._numbers if nhs_number is None else self._patients
        return sender.send(to=to, text=text, reference=reference, nhs_number=nhs_number)

    def find(self, reference: str) -> SentText | None:
        """See TextSender. What went by NHS Notify need not be found."""
        return self._numbers.find(reference)

    def close(self) -> None:
        """Close connections."""
        self._patients.close()
        self._numbers.close()


def _body(response: httpx.Response) -> dict[str, Any]:
    try:
        return as_dict(strict_json.parse(response.content))
    except strict_json.JsonRefused:
        return {}


def _errors(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [as_dict(error) for error in as_list(body.get("errors"))]


def _is_duplicate(response: httpx.Response, body: dict[str, Any]) -> bool:
    if response.status_code != _UNPROCESSABLE:
        return False
    words = [as_str(body.get("message"))]
    for error in _errors(body):
        words += [as_str(error.get(k)) for k in ("code", "title", "detail", "message")]
    return any(_DUPLICATE_WORDS in word or word == _DUPLICATE_CODE for word in words)


def _error(response: httpx.Response, body: dict[str, Any]) -> GatewayError:
    status = response.status_code
    kinds = [as_str(error.get("code"))[:60] for error in _errors(body)]
    message = f"NHS Notify answered {status} ({', '.join(k for k in kinds if k) or 'no code'})"
    code = f"nhs-notify-{status}"
    if status in _PAUSES:
        asked = retry_after(response.headers.get("retry-after")) or 0.0
        return TryLater(message, code=code, after=max(asked, _PAUSES[status]) or None)
    if response.is_server_error:
        return OutcomeUnknown(message, code=code)
    return Refused(message, code=code)
