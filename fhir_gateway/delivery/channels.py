"""How people are told: a webhook, mail, and always the log."""

from __future__ import annotations

import hashlib
import hmac
import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Protocol
from urllib.parse import unquote, urlsplit

import httpx
import orjson

from fhir_gateway.errors import GatewayError, Refused, TryLater

_SECONDS = 10.0
_SMTPS_PORT, _SMTP_PORT = 465, 25


@dataclass(frozen=True, slots=True)
class News:
    """A piece of news about the operation; nothing of patients. `fields`: the same for programs."""

    title: str
    text: str
    fields: dict[str, str]


class Channel(Protocol):
    """One way to tell."""

    def tell(self, news: News) -> None:
        """Tell. Raises TryLater, Refused."""


class Webhook:
    """Posts JSON. `secret` signs it: `X-Signature-256: sha256=<hex HMAC of the body>`."""

    def __init__(
        self, url: str, secret: str | None, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._url = url
        self._secret = secret
        self._transport = transport

    def tell(self, news: News) -> None:
        """See Channel. `text` beside the fields is what chat systems show."""
        body = orjson.dumps({"text": f"{news.title}. {news.text}", **news.fields})
        headers = {"Content-Type": "application/json"}
        if self._secret:
            digest = hmac.new(self._secret.encode(), body, hashlib.sha256).hexdigest()
            headers["X-Signature-256"] = f"sha256={digest}"
        try:
            with httpx.Client(timeout=_SECONDS, transport=self._transport) as http:
                answer = http.post(self._url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise TryLater(
                f"The webhook could not be reached ({type(error).__name__})", code="webhook"
            ) from None
        if not answer.is_success:
            raise TryLater(f"The webhook answered {answer.status_code}", code="webhook")


class Mail:
    """Sends mails. `url`: smtp:// (STARTTLS where offered, always before a password) or smtps://.

    Raises Refused for another scheme or no host.
    """

    def __init__(self, url: str, sender: str, recipients: Sequence[str]) -> None:
        self._address = urlsplit(url)
        try:
            right = self._address.scheme in ("smtp", "smtps") and self._address.port != 0
        except ValueError:  # a port that is no number
            right = False
        if not (right and self._address.hostname):
            raise Refused("smtp_url must be smtp://HOST or smtps://HOST.", code="smtp-url")
        self._sender = sender
        self._recipients = list(recipients)

    def tell(self, news: News) -> None:
        """See Channel."""
        self.send(news.title, news.text)

    def send(self, subject: str, text: str, attachment: tuple[str, bytes] | None = None) -> None:
        """Send one mail; `attachment`: file name and JSON. Raises TryLater."""
        message = EmailMessage()
        message["Subject"], message["From"] = subject, self._sender
        message["To"] = ", ".join(self._recipients)
        message.set_content(text)
        if attachment:
            name, content = attachment
            message.add_attachment(content, "application", "fhir+json", filename=name)
        try:
            with self._connect() as smtp:
                smtp.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            raise TryLater(f"Mail failed ({type(error).__name__})", code="mail") from None

    def _connect(self) -> smtplib.SMTP:
        host, user = self._address.hostname or "", self._address.username
        context = ssl.create_default_context()
        if self._address.scheme == "smtps":
            port = self._address.port or _SMTPS_PORT
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=_SECONDS, context=context)
        else:
            smtp = smtplib.SMTP(host, self._address.port or _SMTP_PORT, timeout=_SECONDS)
            smtp.ehlo()
            if user or smtp.has_extn("starttls"):
                smtp.starttls(context=context)
        if user:
            smtp.login(unquote(user), unquote(self._address.password or ""))
        return smtp


def tell_all(channels: Sequence[Channel], news: News) -> list[GatewayError]:
    """Tell through all channels, whatever happens to one; what went wrong."""
    failures = []
    for channel in channels:
        try:
            channel.tell(news)
        except GatewayError as error:
            failures.append(error)
    return failures
