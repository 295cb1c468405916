"""The tables. What could identify a patient is sealed (seal.py) before it gets here.

Times are UTC. Ids are random. The same tables serve SQLite and PostgreSQL.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

ID = String(36)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime; SQLite forgets the zone, this gives it back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Refuse naive datetimes; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime must not be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give back aware UTC."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of all tables; names of constraints are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class ServiceRow(Base):
    """A hospital service, as imported."""

    __tablename__ = "service"

    slug: Mapped[str] = mapped_column(String(80), primary_key=True)
    bundle: Mapped[bytes] = mapped_column(LargeBinary)
    #: Of the organisation that provides it; "" when the Bundle names none.
    ods_code: Mapped[str] = mapped_column(String(12), default="", server_default="", index=True)
    imported_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LinkRow(Base):
    """A link that was given out. Only a hash of its token is kept."""

    __tablename__ = "link"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    service_slug: Mapped[str] = mapped_column(ForeignKey("service.slug"))
    #: For a link bound to one patient: NHS number and the mobile number it was texted to.
    bound_to_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class VisitRow(Base):
    """One browser's session. Only a hash of its cookie is kept."""

    __tablename__ = "visit"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class DraftRow(Base):
    """A request that is being made."""

    __tablename__ = "draft"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    visit_id: Mapped[str] = mapped_column(ForeignKey("visit.id"), index=True)
    link_id: Mapped[str] = mapped_column(ForeignKey("link.id"))
    service_slug: Mapped[str] = mapped_column(ForeignKey("service.slug"))
    questionnaire: Mapped[str] = mapped_column(String(300))
    state: Mapped[str] = mapped_column(String(20))
    #: drafts.Progress: the response so far, the pages seen, the contacts verified.
    progress_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: For one that is saved for later: HMAC of link and number that open it, and until when.
    saved_mac: Mapped[str | None] = mapped_column(String(64), index=True)
    saved_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    unlock_tries: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AttachmentRow(Base):
    """A file of a draft. It goes with the draft; what is sent is in the response."""

    __tablename__ = "attachment"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    draft_id: Mapped[str] = mapped_column(ForeignKey("draft.id"), index=True)
    content_type: Mapped[str] = mapped_column(String(80))
    size: Mapped[int] = mapped_column(Integer)
    content_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SecurityCodeRow(Base):
    """A security code that was texted. Only its HMAC is kept."""

    __tablename__ = "security_code"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    draft_id: Mapped[str] = mapped_column(ForeignKey("draft.id"), index=True)
    #: HMAC of the number it was sent to, so that a changed number voids it.
    contact_mac: Mapped[str] = mapped_column(String(64))
    code_mac: Mapped[str] = mapped_column(String(64))
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    #: Used, or killed by a newer code.
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class CounterRow(Base):
    """How often something happened within one window of time; keys hold no personal data."""

    __tablename__ = "counter"

    key: Mapped[str] = mapped_column(String(160), primary_key=True)
    window_start: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    count: Mapped[int] = mapped_column(Integer)


class RequestRow(Base):
    """A request that was accepted. From the moment this row is committed it must not be lost."""

    __tablename__ = "request"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    reference: Mapped[str] = mapped_column(String(20), unique=True)
    draft_id: Mapped[str | None] = mapped_column(String(36), unique=True)
    service_slug: Mapped[str] = mapped_column(ForeignKey("service.slug"), index=True)
    questionnaire: Mapped[str] = mapped_column(String(300))
    state: Mapped[str] = mapped_column(String(20), index=True)
    #: Completed QuestionnaireResponse.
    response_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    #: What was verified before sending: contacts, link.
    evidence_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    #: Outcome of the trace: level, NHS number, PDS record, evidence.
    identity_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: The Bundle as mapped; each try sends the same bytes.
    bundle_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: What the EPR answered: `Type/id` of each resource, as JSON.
    delivered_as: Mapped[str | None] = mapped_column(Text)
    #: The rest of that answer: versions, and warnings, which may quote the patient.
    epr_answer_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    accepted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RequestEventRow(Base):
    """One move of a request, forward only: audit, metrics and status read these rows."""

    __tablename__ = "request_event"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("request.id"), index=True)
    state: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: A code and a sentence for operators; never what a patient typed.
    detail: Mapped[str] = mapped_column(String(400), default="")


class DeliveryAttemptRow(Base):
    """Committed right before each POST to an EPR; unresolved while its outcome is unknown."""

    __tablename__ = "delivery_attempt"
    __table_args__ = (
        Index("ix_delivery_attempt_open", "request_id", "resolved_at"),
        Index("ix_delivery_attempt_subject", "subject_mac", "neighbour"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("request.id"))
    #: Of the POST that leaves now; a strategy of several POSTs renews it before each.
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime)
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str] = mapped_column(String(80), default="")
    #: GateRow.name of the EPR; '' for attempts of releases that did not keep it.
    neighbour: Mapped[str] = mapped_column(String(300), default="", index=True)
    #: HMAC of the NHS number of the patient it is about; '' where the request is not matched.
    subject_mac: Mapped[str] = mapped_column(String(64), default="", server_default="")


class EprPartRow(Base):
    """One resource of a request that is sent to its EPR one by one; without a reference while
    nobody knows whether it arrived."""

    __tablename__ = "epr_part"

    request_id: Mapped[str] = mapped_column(ForeignKey("request.id"), primary_key=True)
    #: Its name within the request's Bundle.
    full_url: Mapped[str] = mapped_column(String(200), primary_key=True)
    reference: Mapped[str | None] = mapped_column(String(200))
    version: Mapped[str] = mapped_column(String(80), default="")
    intended_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TextRow(Base):
    """A text message that was, or is being, sent. Neither its number nor its words are kept."""

    __tablename__ = "text_message"
    __table_args__ = (UniqueConstraint("reference"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    #: What the provider is asked for before anything is sent again.
    reference: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20))
    provider_id: Mapped[str | None] = mapped_column(String(80), index=True)
    #: What the provider reported later: delivered, unreachable, not-sent; "" for nothing yet.
    receipt: Mapped[str] = mapped_column(String(20), default="", server_default="")
    receipt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: When it was handed to the provider last; its outcome is unknown while the state is intended.
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class OperatorTraceRow(Base):
    """A trace that an operator made: who, when, for whom, why (sealed, with what was asked)."""

    __tablename__ = "operator_trace"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    operator: Mapped[str] = mapped_column(String(120))
    ods_code: Mapped[str] = mapped_column(String(12))
    asked_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    #: `asked` while it is under way, then how it ended.
    outcome: Mapped[str] = mapped_column(String(40))
    calls: Mapped[int] = mapped_column(Integer)
