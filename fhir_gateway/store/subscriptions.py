"""Subscriptions: where clients are told, and how that stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, select, update

from fhir_gateway.store.database import Transaction
from fhir_gateway.store.outreach_tables import NoticeRow, SubscriptionRow


class SubscriptionState(StrEnum):
    """Codes of https://hl7.org/fhir/R4/valueset-subscription-status.html."""

    REQUESTED = "requested"
    ACTIVE = "active"
    ERROR = "error"
    OFF = "off"


class Topic(StrEnum):
    """What can be subscribed to."""

    NEW_REQUEST = "new-request"
    STATUS_CHANGED = "status-changed"


@dataclass(frozen=True, slots=True)
class Channel:
    """How a subscriber is told. `content`: empty or id-only."""

    endpoint: str
    headers: Mapping[str, str]
    secret: str
    content: str = "id-only"


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription."""

    id: str
    client_id: str
    provider: str
    topic: Topic
    channel: Channel
    state: SubscriptionState
    events: int
    ends_at: datetime | None
    failing_since: datetime | None


def add(
    tx: Transaction,
    *,
    subscription_id: str,
    client_id: str,
    provider: str,
    topic: Topic,
    channel: Channel,
    ends_at: datetime | None,
    now: datetime,
) -> None:
    """Keep a subscription that was asked for; it becomes active by a handshake."""
    tx.session.add(
        SubscriptionRow(
            id=subscription_id,
            client_id=client_id,
            provider=provider,
            topic=topic,
            channel_sealed=_sealed(tx, channel),
            state=SubscriptionState.REQUESTED,
            events=0,
            created_at=now,
            ends_at=ends_at,
        )
    )
    tx.session.flush()
    ask_handshake(tx, subscription_id, now=now)


def find(tx: Transaction, subscription_id: str) -> Subscription | None:
    """A subscription, or None."""
    row = tx.session.get(SubscriptionRow, subscription_id)
    return _subscription(tx, row) if row else None


def change(
    tx: Transaction,
    subscription_id: str,
    *,
    state: SubscriptionState,
    topic: Topic,
    channel: Channel,
    ends_at: datetime | None,
) -> None:
    """Take what a client changed."""
    tx.session.execute(
        update(SubscriptionRow)
        .where(SubscriptionRow.id == subscription_id)
        .values(
            state=state,
            topic=topic,
            channel_sealed=_sealed(tx, channel),
            ends_at=ends_at,
            failing_since=None,
        )
    )


def set_state(
    tx: Transaction,
    subscription_id: str,
    state: SubscriptionState,
    *,
    failing_since: datetime | None = None,
) -> None:
    """How it stands now."""
    tx.session.execute(
        update(SubscriptionRow)
        .where(SubscriptionRow.id == subscription_id)
        .values(state=state, failing_since=failing_since)
    )


def remove(tx: Transaction, subscription_id: str) -> None:
    """Forget a subscription and what it was still to be told."""
    drop_notices(tx, subscription_id)
    tx.session.execute(delete(SubscriptionRow).where(SubscriptionRow.id == subscription_id))


def drop_notices(tx: Transaction, subscription_id: str) -> None:
    """Forget what it was still to be told."""
    tx.session.execute(delete(NoticeRow).where(NoticeRow.subscription_id == subscription_id))


def ask_handshake(tx: Transaction, subscription_id: str, *, now: datetime) -> None:
    """Let it be asked whether it hears us."""
    tx.session.add(
        NoticeRow(
            subscription_id=subscription_id,
            kind="handshake",
            number=0,
            at=now,
            due_at=now,
            tries=0,
        )
    )
    tx.session.flush()


def count(tx: Transaction, client_id: str) -> int:
    """How many a client has."""
    query = select(SubscriptionRow.id).where(SubscriptionRow.client_id == client_id)
    return len(tx.session.scalars(query).all())


def _sealed(tx: Transaction, channel: Channel) -> bytes:
    return tx.sealer.seal(
        {
            "endpoint": channel.endpoint,
            "headers": dict(channel.headers),
            "secret": channel.secret,
            "content": channel.content,
        }
    )


def _subscription(tx: Transaction, row: SubscriptionRow) -> Subscription:
    return Subscription(
        id=row.id,
        client_id=row.client_id,
        provider=row.provider,
        topic=Topic(row.topic),
        channel=Channel(**tx.sealer.open(row.channel_sealed)),
        state=SubscriptionState(row.state),
        events=row.events,
        ends_at=row.ends_at,
        failing_since=row.failing_since,
    )
