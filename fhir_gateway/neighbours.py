"""Composition of the clients of neighbours, from settings: PDS, EPRs, text providers,
terminology."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from fhir_gateway.auth.bearer import FixedBearer, TokenBearer
from fhir_gateway.auth.credentials import CredentialBook
from fhir_gateway.auth.keys import KeyRing, read_key_ring
from fhir_gateway.auth.tokens import Application, TokenSource
from fhir_gateway.delivery.pds_gate import DatabaseGate
from fhir_gateway.delivery.progress import StoredProgress
from fhir_gateway.epr.clients import EprClients
from fhir_gateway.pds.client import PdsClient
from fhir_gateway.rest.callbacks import PATH as CALLBACK_PATH
from fhir_gateway.rest.callbacks import CallbackKeys
from fhir_gateway.settings import Settings
from fhir_gateway.sms.nhs_notify import ByPatient, NhsNotifySender
from fhir_gateway.sms.notify import NotifySender
from fhir_gateway.sms.sender import NoSender, TextSender
from fhir_gateway.sms.twilio import TwilioSender
from fhir_gateway.store.database import Database
from fhir_gateway.terminology.server import TerminologyServer


def plain(secret: SecretStr | None) -> str:
    """A secret as text; "" for none."""
    return secret.get_secret_value() if secret else ""


def terminology_server(settings: Settings) -> TerminologyServer | None:
    """The terminology server, if there is one."""
    return TerminologyServer(settings.terminology_server) if settings.terminology_server else None


def text_sender(settings: Settings) -> TextSender:
    """Who sends texts: NHS Notify to matched patients where set up, else the provider of texts."""
    numbers = _number_sender(settings)
    if not settings.nhs_notify_base_url:
        return numbers
    patients = NhsNotifySender(
        settings.nhs_notify_base_url,
        auth=_platform_auth(settings, settings.nhs_notify_client_id or settings.pds_client_id),
        ods_code=settings.nhs_notify_ods_code,
        routing_plan=settings.nhs_notify_routing_plan,
    )
    return ByPatient(patients, numbers)


def _number_sender(settings: Settings) -> TextSender:
    if settings.text_provider == "twilio" and settings.twilio_auth_token:
        return TwilioSender(
            settings.twilio_base_url,
            settings.twilio_account,
            settings.twilio_auth_token.get_secret_value(),
            settings.twilio_sender,
            callback=f"{settings.base_url.rstrip('/')}{CALLBACK_PATH}/twilio",
        )
    if settings.text_provider != "notify" or settings.notify_api_key is None:
        return NoSender()
    return NotifySender(
        settings.notify_base_url,
        settings.notify_api_key.get_secret_value(),
        settings.notify_template_id,
    )


def callback_keys(settings: Settings) -> CallbackKeys:
    """What providers of texts show when they report."""
    return CallbackKeys(
        notify_token=plain(settings.notify_callback_token),
        nhs_notify_application=settings.nhs_notify_application_id,
        nhs_notify_key=plain(settings.nhs_notify_callback_key),
        twilio_token=plain(settings.twilio_auth_token),
    )


def _bearer(token: SecretStr | None) -> httpx.Auth | None:
    return FixedBearer(token.get_secret_value()) if token else None


def pds_client(settings: Settings, database: Database, *, patience: float = 2.0) -> PdsClient:
    """The client of PDS. `patience`: seconds that one call may wait. Raises Refused for a key that
    cannot be used."""
    application = settings.pds_client_id or "no-application"
    return PdsClient(
        settings.pds_base_url,
        auth=_pds_auth(settings),
        gate=DatabaseGate(
            database,
            f"pds:{urlsplit(settings.pds_base_url).netloc}:{application}",
            per_second=settings.pds_per_second,
        ),
        patience=patience,
    )


def epr_clients(settings: Settings, database: Database) -> EprClients:
    """The clients of all EPRs."""
    ring = key_ring(settings)
    seconds = settings.timing.epr_timeout.total_seconds()
    return EprClients(
        CredentialBook(settings.epr_credentials, ring, settings.epr_token),
        StoredProgress(database),
        ring.signing if ring else None,
        seconds=seconds,
    )


def _pds_auth(settings: Settings) -> httpx.Auth | None:
    signed = _platform_auth(settings, settings.pds_client_id)
    return signed or _bearer(settings.pds_token)


def _platform_auth(settings: Settings, client_id: str | None) -> httpx.Auth | None:
    """The signed JWT of an application on the NHS API platform; None without id or key."""
    ring = key_ring(settings)
    if not client_id or not ring:
        return None
    return TokenBearer(TokenSource(Application(client_id, settings.token_url), ring))


def key_ring(settings: Settings) -> KeyRing | None:
    """The keys that sign; None without any. Raises Refused for a key that cannot be used."""
    if not settings.signing_keys:
        return None
    for_eprs = {given.key for given in settings.epr_credentials}
    return read_key_ring(settings.signing_keys).for_smart(for_eprs)
