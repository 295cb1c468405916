"""Composition: the parts of a gateway, put together from its settings. Knows everyone."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import httpx
from anyio import to_thread
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from fhir_gateway import shipped
from fhir_gateway.api import create_api, create_discovery
from fhir_gateway.auth.bearer import FixedBearer, TokenBearer
from fhir_gateway.auth.credentials import CredentialBook
from fhir_gateway.auth.jwks import PATH as JWKS_PATH
from fhir_gateway.auth.jwks import create_jwks_app
from fhir_gateway.auth.keys import KeyRing, read_key_ring
from fhir_gateway.auth.tokens import Application, TokenSource
from fhir_gateway.conformance_mount import conformance_pages
from fhir_gateway.delivery import duties, processes, steps
from fhir_gateway.delivery.capabilities import NightlyCheck
from fhir_gateway.delivery.catching_up import CatchingUp
from fhir_gateway.delivery.engine import DbosEngine
from fhir_gateway.delivery.notifier import Notifier
from fhir_gateway.delivery.parts import AllLimits, Parts
from fhir_gateway.delivery.pds_gate import DatabaseGate
from fhir_gateway.delivery.progress import StoredProgress
from fhir_gateway.delivery.settings import limits_by_epr
from fhir_gateway.delivery.watch import Watch
from fhir_gateway.epr.clients import EprClients
from fhir_gateway.fhir.profiles import Profiles
from fhir_gateway.journey.limits import TextCaps
from fhir_gateway.matching.policy import Policy
from fhir_gateway.ops import PATHS, create_ops_app
from fhir_gateway.pds.client import PdsClient
from fhir_gateway.questionnaire.catalogue import Catalogue
from fhir_gateway.rest.callbacks import PATH as CALLBACK_PATH
from fhir_gateway.rest.callbacks import CallbackKeys, create_callback_app
from fhir_gateway.rest.smart import WELL_KNOWN as DISCOVERY_PATH
from fhir_gateway.settings import Settings
from fhir_gateway.sms.nhs_notify import ByPatient, NhsNotifySender
from fhir_gateway.sms.notify import NotifySender
from fhir_gateway.sms.sender import NoSender, TextSender
from fhir_gateway.sms.twilio import TwilioSender
from fhir_gateway.store import published
from fhir_gateway.store.database import Database
from fhir_gateway.store.seal import Sealer
from fhir_gateway.terminology.server import TerminologyServer
from fhir_gateway.web.app import create_web_app
from fhir_gateway.web.environment import create_environment
from fhir_gateway.web.site import Site

#: Patients are in the United Kingdom: `today` is today there.
LONDON = ZoneInfo("Europe/London")
FHIR_BASE = "/fhir/R4"


@dataclass(frozen=True, slots=True)
class Gateway:
    """The parts of one gateway process."""

    settings: Settings
    database: Database
    engine: DbosEngine
    parts: Parts
    terminology: TerminologyServer | None = None

    @property
    def site(self) -> Site:
        """What the patient pages work with."""
        return Site(
            base_url=self.settings.base_url.rstrip("/"),
            database=self.database,
            catalogue=self.parts.catalogue,
            sender=self.parts.sender,
            engine=self.engine,
            clock=self.parts.clock,
            environment=create_environment(),
            caps=self.parts.caps,
        )

    def prepare(self) -> None:
        """Bring the database up to date."""
        self.database.migrate()
        self.engine.migrate()

    def close(self) -> None:
        """Close connections."""
        self.parts.close()
        if self.terminology:
            self.terminology.close()
        self.database.close()


def build(settings: Settings, *, clock: Callable[[], datetime] | None = None) -> Gateway:
    """Put a gateway together. Reads the shipped and configured folders, opens the database; does
    not touch the network. Raises what a bad folder or key raises."""
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(settings.database, Sealer(_keys(settings)))
    folders = [shipped.folder("questionnaires"), settings.questionnaires]
    resources = [r for folder in folders if folder for r in shipped.read_resources(folder)]
    targets = shipped.read_targets(shipped.folder("mappings"))
    if settings.mappings:
        targets |= shipped.read_targets(settings.mappings)
    terminology = _terminology(settings)
    parts = Parts(
        database=database,
        catalogue=Catalogue(resources, terminology),
        targets=targets,
        pds=pds_client(settings, database),
        eprs=_epr_clients(settings, database),
        sender=_sender(settings),
        clock=clock or _now,
        gateway_name=settings.base_url,
        profiles=shipped.read_profiles(settings.profiles) if settings.profiles else Profiles(),
        caps=TextCaps(
            codes_per_number=settings.codes_per_number,
            texts_per_number=settings.texts_per_number,
            codes_per_address=settings.codes_per_address,
            codes_per_day=settings.codes_per_day,
            codes_per_link=settings.codes_per_link,
        ),
        timing=settings.timing,
        limits=AllLimits(settings.epr_limits, settings.text_limits, limits_by_epr(settings)),
        policy=Policy(frozenset(settings.matching_forgiven), settings.matching_youngest),
    )
    parts.catalogue.follow(lambda: published.questionnaires(database))
    return Gateway(settings, database, DbosEngine(database), parts, terminology)


class Worker:
    """Delivery in this process, between `start` and `stop`."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._executor_id = processes.fresh_executor_id(gateway.settings.worker_id)
        self._watch = Watch(
            gateway.parts,
            gateway.engine,
            self._executor_id,
            duties.of(gateway.settings, gateway.settings.data_dir),
        )
        self._check = NightlyCheck(gateway.parts)
        hosts, base_url = gateway.settings.subscription_hosts, gateway.site.base_url
        self._notifier = Notifier(gateway.parts, f"{base_url}{FHIR_BASE}", hosts)

    def start(self) -> None:
        """Start delivering and watching."""
        gateway = self._gateway
        self._watch.enter()
        gateway.engine.work(steps.bind(gateway.parts), self._executor_id)
        self._watch.start()
        self._check.start()
        self._notifier.start()

    def stop(self) -> None:
        """Stop in order; what is under way is taken up by others or at the next start."""
        self._notifier.stop()
        self._check.stop()
        self._watch.stop()
        self._gateway.engine.stop()
        self._watch.leave()


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value else None


def create_app(gateway: Gateway, *, deliver: bool, home: ASGIApp | None = None) -> ASGIApp:
    """The ASGI app of a gateway: patient pages, and the FHIR API under /fhir/R4.

    `deliver`: whether this process delivers requests too. `home`: what answers at `/` instead of
    the plain page (the demo's overview).
    """
    worker = Worker(gateway) if deliver else None
    showing = CatchingUp(gateway.parts)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        del app
        # In a thread: databases and DBOS must not be waited for in the event loop.
        await to_thread.run_sync(gateway.prepare)
        await to_thread.run_sync(showing.start)
        if worker:
            await to_thread.run_sync(worker.start)
        yield
        if worker:
            await to_thread.run_sync(worker.stop)
        await to_thread.run_sync(showing.stop)
        gateway.close()

    web = create_web_app(gateway.site, lifespan=lifespan, home=home)
    operators = create_ops_app(
        gateway.database,
        gateway.settings.timing,
        gateway.parts.clock,
        _secret(gateway.settings.ops_token),
    )
    keys = create_jwks_app(_key_ring(gateway.settings))
    callbacks = create_callback_app(
        gateway.database,
        _callback_keys(gateway.settings),
        base_url=gateway.site.base_url,
        clock=gateway.parts.clock,
    )
    below: dict[str, ASGIApp] = {
        FHIR_BASE: create_api(gateway),
        DISCOVERY_PATH: create_discovery(gateway),
        JWKS_PATH: keys,
        CALLBACK_PATH: callbacks,
        **dict.fromkeys(PATHS, operators),
    }
    below |= conformance_pages(gateway.settings, gateway.parts.clock)
    return _Split(below, web)


class _Split:
    """Sends what is under a path to its app and the rest, the lifespan too, to another."""

    def __init__(self, below: Mapping[str, ASGIApp], others: ASGIApp) -> None:
        self._below, self._others = below, others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        for start, app in self._below.items():
            if path == start or path.startswith(f"{start}/"):
                await app(scope, receive, send)
                return
        await self._others(scope, receive, send)


def _now() -> datetime:
    return datetime.now(LONDON)


def _terminology(settings: Settings) -> TerminologyServer | None:
    return TerminologyServer(settings.terminology_server) if settings.terminology_server else None


def _sender(settings: Settings) -> TextSender:
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


def _callback_keys(settings: Settings) -> CallbackKeys:
    def plain(secret: SecretStr | None) -> str:
        return secret.get_secret_value() if secret else ""

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


def _epr_clients(settings: Settings, database: Database) -> EprClients:
    ring = _key_ring(settings)
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
    ring = _key_ring(settings)
    if not client_id or not ring:
        return None
    return TokenBearer(TokenSource(Application(client_id, settings.token_url), ring))


def _key_ring(settings: Settings) -> KeyRing | None:
    if not settings.signing_keys:
        return None
    for_eprs = {given.key for given in settings.epr_credentials}
    return read_key_ring(settings.signing_keys).for_smart(for_eprs)


def _keys(settings: Settings) -> list[bytes]:
    """The configured keys, or the one in data_dir, made when there is none."""
    if settings.secret_keys:
        return [key.get_secret_value().encode() for key in settings.secret_keys]
    return [own_key(settings.data_dir / "secret.key")]


def own_key(file: Path) -> bytes:
    """The key of this file, made at the first call; readable by its owner alone. Two processes
    that start at once get the same key."""
    if not file.exists():
        fresh = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(secrets.token_urlsafe(48).encode())
        with contextlib.suppress(FileExistsError):
            os.link(fresh, file)
        fresh.unlink()
    return file.read_bytes().strip()
