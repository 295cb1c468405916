"""GOV.UK Notify (https://docs.notifications.service.gov.uk/rest-api.html).

The text lives in a template there whose whole body is `((text))`, so that the words are composed
here. Each call has a fresh JWT, as Notify takes one for 30 seconds only. Numbers and words are
never logged.
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
from fhir_gateway.sms.sender import SentText

TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_API_KEY = re.compile(rf"(.*-)?(?P<service>{_UUID})-(?P<secret>{_UUID})", re.IGNORECASE)
_NOT_DONE = frozenset({408, 425, 429, 503})


class NotifySender:
    """Sends through one Notify service. Raises Refused when the key is not of Notify's form."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        template_id: str,
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        match = _API_KEY.fullmatch(api_key)
        if match is None:
            raise Refused(
                "The API key of Notify is not of the form name-service-secret.", code="notify-key"
            )
        self._service = match["service"]
        self._secret = match["secret"]
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

    def send(self, *, to: str, text: str, reference: str) -> SentText:
        """See TextSender."""
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
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise TryLater(
                f"Notify could not be reached ({type(error).__name__})", code="notify-unreachable"
            ) from None
        except httpx.HTTPError as error:
            raise OutcomeUnknown(
                f"Notify fell silent ({type(error).__name__})", code="notify-silent"
            ) from None
        if not response.is_success:
            raise _error(response, sending=True)
        sent = as_dict(_json(response))
        if not sent.get("id"):
            raise OutcomeUnknown("Notify's answer has no id", code="notify-shape")
        return SentText(as_str(sent["id"]), reference, "created")

    def find(self, reference: str) -> SentText | None:
        """See TextSender."""
        try:
            response = self._http.get(
                "/v2/notifications",
                params={"reference": reference},
                headers=self._authorization(),
            )
        except httpx.HTTPError as error:
            raise TryLater(
                f"Notify could not be reached ({type(error).__name__})", code="notify-unreachable"
            ) from None
        if not response.is_success:
            raise _error(response, sending=False)
        found = as_list(as_dict(_json(response)).get("notifications"))
        if not found:
            return None
        newest = as_dict(found[0])
        return SentText(as_str(newest.get("id")), reference, as_str(newest.get("status")))

    def _authorization(self) -> dict[str, str]:
        claims = {"iss": self._service, "iat": int(time.time())}
        key = OctKey.import_key(self._secret.encode())
        token = jwt.encode({"typ": "JWT", "alg": "HS256"}, claims, key)
        return {"Authorization": f"Bearer {token}"}


def _error(response: httpx.Response, *, sending: bool) -> GatewayError:
    status = response.status_code
    kind = as_str(
        as_dict((as_list(as_dict(_json(response)).get("errors")) or [{}])[0]).get("error")
    )
    message, code = f"Notify answered {status} ({kind or 'no error'})", f"notify-{status}"
    if status in _NOT_DONE or (status >= httpx.codes.INTERNAL_SERVER_ERROR and not sending):
        after = retry_after(response.headers.get("retry-after"))
        return TryLater(message, code=code, after=after)
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return OutcomeUnknown(message, code=code)
    return Refused(message, code=code)


def _json(response: httpx.Response) -> Any:
    try:
        return strict_json.parse(response.content)
    except strict_json.JsonRefused:
        return None
