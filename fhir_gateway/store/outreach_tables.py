"""Tables of what leaves through the FHIR API: subscriptions with their notices, and invitations."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from fhir_gateway.store.tables import ID, Base, UtcDateTime


class SubscriptionRow(Base):
    """Where a client wants to be told. The resource that it wrote is among the resources."""

    __tablename__ = "subscription"
    __table_args__ = (Index("ix_subscription_topic", "provider", "topic", "state"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    client_id: Mapped[str] = mapped_column(String(200))
    #: ODS code of the organisation whose requests it is about.
    provider: Mapped[str] = mapped_column(String(12))
    topic: Mapped[str] = mapped_column(String(40))
    #: Address, headers and the secret that signs: whoever knows them could pretend to be us.
    channel_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    #: requested, active, error, off.
    state: Mapped[str] = mapped_column(String(20))
    #: How many events there were since it began.
    events: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: Until when it ends by itself.
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Since when every try has failed.
    failing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)


class NoticeRow(Base):
    """Something that a subscriber is to be told; it goes when they were."""

    __tablename__ = "notice"
    __table_args__ = (Index("ix_notice_due", "due_at", "id"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    subscription_id: Mapped[str] = mapped_column(ForeignKey("subscription.id"), index=True)
    #: handshake or event-notification.
    kind: Mapped[str] = mapped_column(String(20))
    number: Mapped[int] = mapped_column(Integer)
    #: The request that it is about.
    request_id: Mapped[str | None] = mapped_column(String(36))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(Integer, default=0)


class InvitationRow(Base):
    """A patient who was to be sent a link, once for each identifier that a client gave. Neither
    the number nor the patient is kept."""

    __tablename__ = "invitation"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    #: HMAC of provider and the client's identifier.
    key_mac: Mapped[str] = mapped_column(String(64), unique=True)
    #: HMAC of what was asked, so that the same identifier for another patient is seen.
    content_mac: Mapped[str] = mapped_column(String(64))
    #: asked (nobody knows yet), sent, refused.
    state: Mapped[str] = mapped_column(String(20))
    code: Mapped[str] = mapped_column(String(60), default="")
    link_id: Mapped[str | None] = mapped_column(String(36))
    #: When it was taken in hand last: two at once do not send the same text.
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
