"""Tables of who may do what at the FHIR API, and of the record of who did."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Index, Integer, LargeBinary, String, Text
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.orm import Mapped, mapped_column

from fhir_gateway.store.tables import ID, Base, UtcDateTime


class ClientRow(Base):
    """A system that may ask for tokens."""

    __tablename__ = "api_client"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    #: ODS codes whose data it may see, with spaces between them.
    providers: Mapped[str] = mapped_column(Text)
    admin: Mapped[bool] = mapped_column(Boolean)
    scopes: Mapped[str] = mapped_column(Text)
    #: Its public keys, as JSON; or the address where they are.
    jwks: Mapped[str | None] = mapped_column(Text)
    jwks_url: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class AccessTokenRow(Base):
    """A token that was issued. Only its hash is kept."""

    __tablename__ = "access_token"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("api_client.id"), index=True)
    scopes: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class UsedAssertionRow(Base):
    """An assertion that was used: a hash of client and jti, until nobody could use it anyway."""

    __tablename__ = "used_assertion"

    jti_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class AuditEventRow(Base):
    """Something that was done, as a sealed AuditEvent. Rows are never changed nor deleted."""

    __tablename__ = "audit_event"
    __table_args__ = (Unique("chain", "position"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    recorded: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    type: Mapped[str] = mapped_column(String(40))
    subtype: Mapped[str] = mapped_column(String(60))
    action: Mapped[str] = mapped_column(String(1))
    outcome: Mapped[str] = mapped_column(String(2))
    #: Id of a client, name of an operator, or the gateway itself.
    agent: Mapped[str] = mapped_column(String(200), index=True)
    event_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    #: The chain this row is a link of, its place there, and the HMAC over it and the one before.
    chain: Mapped[int] = mapped_column(Integer)
    position: Mapped[int] = mapped_column(Integer)
    mac: Mapped[str] = mapped_column(String(64))


class AuditKeyRow(Base):
    """What an event can be found by besides: a provider's ODS code, or the HMAC of a reference."""

    __tablename__ = "audit_key"
    __table_args__ = (Index("ix_audit_key_value", "kind", "value"),)

    event_id: Mapped[str] = mapped_column(ForeignKey("audit_event.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    value: Mapped[str] = mapped_column(String(64), primary_key=True)


class AuditChainRow(Base):
    """The end of a chain. It is locked while a link is added, so chains have no forks."""

    __tablename__ = "audit_chain"

    chain: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(Integer)
    mac: Mapped[str] = mapped_column(String(64))
