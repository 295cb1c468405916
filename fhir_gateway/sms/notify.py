"""GOV.UK Notify (https://docs.notifications.service.gov.uk/rest-api.html).

The text lives in a template there whose whole body is `((text))`, so that the words are composed
here. The Notify service must not put its own name in front of texts, or their length is another
than `texts` counts. Numbers and words are in bodies only, never in a URL, a log or an error.
"""

from __future__ import annotations

import re
import time
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import OctKey

from fhir_gateway.errors import GatewayError, OutcomeUnknown, Refused, TryLater
from fhir_gateway.fhir import json as strict_json
from fhir_gateway.fhir.http import retry_after
from fhir_gateway.fhir.types import as_dict, as_list, as_str
from fhir_gateway.sms.sender import SentText, TextStatus

TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_API_KEY = re.compile(rf"(.*-)?(?P<service>{_UUID})-(?P<secret>{_UUID})", re.IGNORECASE)
#: Nothing was done, whoever answered.
_NOT_DONE = frozenset({408, 425, 429, 503})
#: Broken before the request was on its way.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
#: Seconds until it is worth asking again: the minute is a rolling one; the day ends at midnight,
#: and an operator may have the limit raised before.
_RATE_PAUSE, _DAY_PAUSE = 20.0, 1800.0
_STATUSES = {
    "delivered": TextStatus.DELIVERED,
    "permanent-failure": TextStatus.UNREACHABLE,
    "temporary-failure": TextStatus.UNREACHABLE,
    "technical-failure": TextStatus.NOT_SENT,
}


class NotifySender:
    """A TextSender through one service of Notify.

    `base_url`: without a path. `api_key`: `name-serviceUUID-secretUUID`; Refused when it is not.
    `template_id`: of the template `((text))`.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        template_id: str,
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        match = _API_KEY.fullmatch(api_key.strip())
        if match is None:
            raise Refused(
                "The API key of Notify is not of the form name-service-secret.", code="notify-key"
            )
        self._service = match["service"]
        self._key = OctKey.import_key(match["secret"].encode())
        self._template = template_id
        self._http = httpx.Client(
            base_url=base_url.rstrip("/"),
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
        body = {
            "phone_number": to,
            "template_id": self._template,
            "personalisation": {"text": text},
            "reference": reference,
        }
        try:
            response = self._http.post(
                "/v2/notifications/sms", json=body, headers=self._authorization()
            )
        except _NOT_SENT as error:
            raise _unreachable(error) from None
        except httpx.HTTPError as error:
            raise OutcomeUnknown(
                f"Notify fell silent ({type(error).__name__})", code="notify-silent"
            ) from None
        if not response.is_success:
            raise _sending_error(response)
        text_id = as_str(as_dict(_json(response)).get("id"))
        if not text_id:
            raise OutcomeUnknown("Notify's answer has no id", code="notify-shape")
        return SentText(text_id, reference, TextStatus.UNDER_WAY)

    def find(self, reference: str) -> SentText | None:
        """See TextSender. Notify keeps texts for a week, unless its service says otherwise."""
        try:
            response = self._http.get(
                "/v2/notifications",
                params={"reference": reference, "template_type": "sms"},
                headers=self._authorization(),
            )
        except httpx.HTTPError as error:
            raise _unreachable(error) from None
        if not response.is_success:
            raise _looking_error(response)
        found = as_dict(_json(response)).get("notifications")
        if not isinstance(found, list):
            # Taken for an empty list, this would have the text sent a second time.
            raise TryLater("Notify's answer has no list of texts", code="notify-shape")
        texts = [_sent(notification) for notification in map(as_dict, found)]
        left = (t for t in texts if t.reference == reference and t.status != TextStatus.NOT_SENT)
        return next(left, None)

    def _authorization(self) -> dict[str, str]:
        """A fresh token for each call: Notify takes one for 30 seconds only."""
        claims = {"iss": self._service, "iat": int(time.time())}
        token = jwt.encode({"typ": "JWT", "alg": "HS256"}, claims, self._key)
        return {"Authorization": f"Bearer {token}"}


def _sent(notification: dict[str, Any]) -> SentText:
    return SentText(
        as_str(notification.get("id")),
        as_str(notification.get("reference")),
        # created, sending, pending, sent, and whatever Notify may add.
        _STATUSES.get(as_str(notification.get("status")), TextStatus.UNDER_WAY),
    )


def _unreachable(error: httpx.HTTPError) -> TryLater:
    return TryLater(
        f"Notify could not be reached ({type(error).__name__})", code="notify-unreachable"
    )


def _sending_error(response: httpx.Response) -> GatewayError:
    """Notify stores a text before it queues it, and a proxy's 502 or 504 tells nothing about what
    is behind it: after a 5xx the text may be on its way. 503 is said before anything is done."""
    if response.is_server_error and response.status_code not in _NOT_DONE:
        return OutcomeUnknown(_answered(response), code=_code(response))
    return _looking_error(response)


def _looking_error(response: httpx.Response) -> GatewayError:
    """An answer to a question that changes nothing."""
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        return _too_many(response)
    if response.is_server_error or response.status_code in _NOT_DONE:
        after = retry_after(response.headers.get("retry-after"))
        return TryLater(_answered(response), code=_code(response), after=after)
    return Refused(_answered(response), code=_code(response))


def _too_many(response: httpx.Response) -> TryLater:
    """Two kinds of 429: too fast (RateLimitError, a rolling minute), which soon passes, and the
    allowance of the day used up (TooManyRequestsError), which does not."""
    given = retry_after(response.headers.get("retry-after"))
    match _kind(response):
        case "TooManyRequestsError":
            return TryLater(_answered(response), code="notify-429-day", after=given or _DAY_PAUSE)
        case "RateLimitError":
            return TryLater(_answered(response), code="notify-429-rate", after=given or _RATE_PAUSE)
        case _:
            return TryLater(_answered(response), code="notify-429", after=given)


def _answered(response: httpx.Response) -> str:
    """The status and Notify's name of the error; its message may quote what was sent."""
    return f"Notify answered {response.status_code} ({_kind(response) or 'no error'})"


def _kind(response: httpx.Response) -> str:
    errors = as_list(as_dict(_json(response)).get("errors"))
    return as_str(as_dict(errors[0]).get("error")) if errors else ""


def _code(response: httpx.Response) -> str:
    return f"notify-{response.status_code}"


def _json(response: httpx.Response) -> Any:
    try:
        return strict_json.parse(response.content)
    except strict_json.JsonRefused:
        return None
