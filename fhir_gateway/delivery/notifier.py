"""Tells subscribers: handshakes and events, from rows that survive restarts, in order for each
subscriber, tried again with growing waits; who cannot be reached for long is given up."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import threading
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import structlog

from fhir_gateway.auth import addresses
from fhir_gateway.auth.addresses import Target
from fhir_gateway.delivery import backoff, notification
from fhir_gateway.delivery.parts import Parts
from fhir_gateway.errors import Refused, TryLater
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.identifiers import BASE
from fhir_gateway.fhir.types import Resource
from fhir_gateway.store import clients, notices, requests, resources, subscriptions
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.notices import Notice
from fhir_gateway.store.resources import EVERYTHING
from fhir_gateway.store.subscriptions import Subscription, SubscriptionState

SECONDS = 10.0
EVERY = 1.0
#: Nobody else takes a notice in hand before; longer than one call can take.
LEASE = timedelta(seconds=60)
AT_ONCE, WORKERS = 20, 4
#: A handshake is given up sooner: somebody is waiting to see it work.
GIVE_UP = {"handshake": timedelta(minutes=10), "event-notification": timedelta(hours=24)}
#: How long a notice waits until its Task can be read as it says.
_SHOWN_WITHIN = timedelta(seconds=10)
_log = structlog.get_logger("subscriptions")


class Notifier:
    """Runs in a thread of its own between `start` and `stop`. `base_url`: of the FHIR API; `hosts`:
    those that may be at private addresses."""

    def __init__(
        self,
        parts: Parts,
        base_url: str,
        hosts: Collection[str] = (),
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._parts, self._base_url, self._hosts = parts, base_url, hosts
        self._transport = transport
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="notifier", daemon=True)

    def start(self) -> None:
        """Start telling."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after what is under way; the rest waits in its rows."""
        self._stopping.set()
        self._thread.join(timeout=SECONDS + 1)

    def _run(self) -> None:
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="notifier") as workers:
            while not self._stopping.is_set():
                told = 0
                try:
                    told = self.round(workers)
                except Exception as error:
                    _log.error("round failed", error=type(error).__name__)
                if not told:
                    self._stopping.wait(EVERY)

    def round(self, workers: ThreadPoolExecutor | None = None) -> int:
        """Tell what is due; how many notices were in hand."""
        now = self._parts.clock()
        with self._parts.database.transaction() as tx:
            taken = notices.take(tx, lease=LEASE, limit=AT_ONCE, now=now)
        list(workers.map(self._guarded, taken) if workers else map(self._guarded, taken))
        return len(taken)

    def _guarded(self, notice: Notice) -> None:
        try:
            self._tell(notice)
        except Exception as error:
            # The row is free again when its lease is over.
            _log.error("not told", notice=notice.id, error=type(error).__name__)

    def _tell(self, notice: Notice) -> None:
        now = self._parts.clock()
        with self._parts.database.transaction() as tx:
            subscription = subscriptions.find(tx, notice.subscription_id)
            if subscription is None or not self._is_open(tx, subscription, notice):
                notices.done(tx, notice.id)
                return
            focus, wait = self._focus(tx, notice)
            if wait:
                if now - notice.at < _SHOWN_WITHIN:
                    due = now + timedelta(seconds=EVERY)
                    notices.later(tx, notice, due_at=due, counted=False)
                    return
                if focus is None:
                    notices.done(tx, notice.id)  # it is shown nowhere, and will not be
                    return
        body = notification.bundle(
            subscription,
            notice,
            topic=f"{BASE}/SubscriptionTopic/{subscription.topic}",
            base_url=self._base_url,
            focus=focus,
            now=now,
        )
        try:
            why, final = self._post(subscription, body), False
        except Refused as error:
            why, final = str(error), True
        except TryLater as error:
            why, final = str(error), False
        with self._parts.database.transaction() as tx:
            if why is None:
                self._told(tx, subscription, notice)
            else:
                self._failed(tx, subscription, notice, why, final=final)

    def _is_open(self, tx: Transaction, subscription: Subscription, notice: Notice) -> bool:
        """Whether it is still to be told."""
        wanted = SubscriptionState.ACTIVE
        if notice.kind == "handshake":
            wanted = SubscriptionState.REQUESTED
        client = clients.find(tx, subscription.client_id)
        over = subscription.ends_at is not None and subscription.ends_at <= self._parts.clock()
        if over or (client is not None and client.revoked_at is not None):
            self._set(tx, subscription, SubscriptionState.OFF)
            subscriptions.drop_notices(tx, subscription.id)
            return False
        return subscription.state is wanted

    def _focus(self, tx: Transaction, notice: Notice) -> tuple[str | None, bool]:
        """The Task that a notice is about, and whether it is not yet as the notice says."""
        if notice.request_id is None:
            return None, False
        request = requests.find(tx, notice.request_id)
        task = resources.of_request(tx, "Task", notice.request_id)
        if request is None or task is None or request.is_synthetic:
            return None, True
        return f"Task/{task.id}", task.at < notice.at

    def _post(self, subscription: Subscription, body: Resource) -> str | None:
        """Send one Bundle; None, or why it did not arrive. Raises Refused, TryLater for an address
        that must not, or cannot now, be called."""
        channel = subscription.channel
        target = addresses.resolve(channel.endpoint, self._hosts)
        content = fhir_json.dump(body)
        digest = hmac.new(channel.secret.encode(), content, hashlib.sha256).hexdigest()
        headers = {
            **channel.headers,
            "Host": target.host,
            "Content-Type": "application/fhir+json",
            "X-Signature-256": f"sha256={digest}",
        }
        try:
            status = asyncio.run(self._sent(target, content, headers))
        except TimeoutError:
            return "It did not answer in time."
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return f"It could not be reached ({type(error).__name__})."
        return None if httpx.codes.is_success(status) else f"It answered {status}."

    async def _sent(self, target: Target, content: bytes, headers: dict[str, str]) -> int:
        """The status of one POST, within SECONDS in all: a timeout of each read alone would let one
        that answers a letter at a time hold up the others."""
        async with (
            asyncio.timeout(SECONDS),
            httpx.AsyncClient(
                timeout=SECONDS, transport=self._transport, trust_env=False, follow_redirects=False
            ) as client,
        ):
            request = client.build_request(
                "POST",
                target.url,
                content=content,
                headers=headers,
                extensions={"sni_hostname": target.name},
            )
            answer = await client.send(request, stream=True)
            await answer.aclose()  # what it says is nothing to us
            return answer.status_code

    def _told(self, tx: Transaction, subscription: Subscription, notice: Notice) -> None:
        notices.done(tx, notice.id)
        if notice.kind == "handshake":
            self._set(tx, subscription, SubscriptionState.ACTIVE)
        elif subscription.failing_since is not None:
            subscriptions.set_state(tx, subscription.id, SubscriptionState.ACTIVE)

    def _failed(
        self, tx: Transaction, subscription: Subscription, notice: Notice, why: str, *, final: bool
    ) -> None:
        now = self._parts.clock()
        since = subscription.failing_since or now
        _log.warning("subscriber failed", subscription=subscription.id, tries=notice.tries)
        if final or now - since >= GIVE_UP[notice.kind]:
            subscriptions.drop_notices(tx, subscription.id)
            self._set(tx, subscription, SubscriptionState.ERROR, why)
            return
        subscriptions.set_state(tx, subscription.id, subscription.state, failing_since=since)
        seconds = backoff.wait(notice.tries - 1, after=None, rng=self._parts.rng)
        notices.later(tx, notice, due_at=now + timedelta(seconds=seconds))

    def _set(
        self, tx: Transaction, subscription: Subscription, state: SubscriptionState, why: str = ""
    ) -> None:
        """How it stands, in its row and in the resource that its client reads."""
        subscriptions.set_state(tx, subscription.id, state)
        found = resources.read(tx, "Subscription", subscription.id, EVERYTHING)
        if found is None or found.resource is None:
            return
        kept = {k: v for k, v in found.resource.items() if k != "error"}
        kept["status"] = state.value
        if why:
            kept["error"] = why
        now = self._parts.clock()
        resources.write(tx, kept, provider=found.provider, now=now, by_client=True)
