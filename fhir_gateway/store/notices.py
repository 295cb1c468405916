"""What subscribers are to be told: written in the transaction that it is about, so that neither is
without the other; taken by whichever process tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select, update

from fhir_gateway.store import services
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.outreach_tables import NoticeRow, SubscriptionRow
from fhir_gateway.store.subscriptions import SubscriptionState, Topic

#: What a request has become is shown right after it has become so: who is told may look at once.
SETTLES = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell."""

    id: int
    subscription_id: str
    kind: str
    number: int
    request_id: str | None
    at: datetime
    tries: int


def announce(
    tx: Transaction, topic: Topic, *, service_slug: str, request_id: str, now: datetime
) -> None:
    """Have all subscribers of a topic told of a request, once this is committed."""
    provider = services.provider_of(tx, service_slug)
    told = tx.session.scalars(
        select(SubscriptionRow.id)
        .where(
            SubscriptionRow.provider == provider,
            SubscriptionRow.topic == topic,
            SubscriptionRow.state == SubscriptionState.ACTIVE,
            or_(SubscriptionRow.ends_at.is_(None), SubscriptionRow.ends_at > now),
        )
        # In one order, so that no two wait for each other.
        .order_by(SubscriptionRow.id)
        .with_for_update()
    ).all()
    if not told:
        return
    numbered = tx.session.execute(
        update(SubscriptionRow)
        .where(SubscriptionRow.id.in_(told))
        .values(events=SubscriptionRow.events + 1)
        .returning(SubscriptionRow.id, SubscriptionRow.events)
    ).all()
    for subscription_id, number in numbered:
        tx.session.add(
            NoticeRow(
                subscription_id=subscription_id,
                kind="event-notification",
                number=number,
                request_id=request_id,
                at=now,
                due_at=now + SETTLES,
                tries=0,
            )
        )
    tx.session.flush()


def take(tx: Transaction, *, lease: timedelta, limit: int, now: datetime) -> list[Notice]:
    """Take what is due in hand: nobody else does before `lease` is over. Of each subscription only
    the oldest, so that they are told in order."""
    oldest = select(func.min(NoticeRow.id)).group_by(NoticeRow.subscription_id)
    rows = tx.session.scalars(
        select(NoticeRow)
        .where(NoticeRow.id.in_(oldest), NoticeRow.due_at <= now)
        .order_by(NoticeRow.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.due_at, row.tries = now + lease, row.tries + 1
    tx.session.flush()
    return [
        Notice(r.id, r.subscription_id, r.kind, r.number, r.request_id, r.at, r.tries) for r in rows
    ]


def done(tx: Transaction, notice_id: int) -> None:
    """They were told."""
    tx.session.execute(delete(NoticeRow).where(NoticeRow.id == notice_id))


def later(tx: Transaction, notice: Notice, *, due_at: datetime, counted: bool = True) -> None:
    """Tell them later. `counted`: whether this was a try."""
    tries = notice.tries if counted else notice.tries - 1
    tx.session.execute(
        update(NoticeRow).where(NoticeRow.id == notice.id).values(due_at=due_at, tries=tries)
    )
