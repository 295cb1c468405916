"""Tables of the resources that the FHIR API shows, their versions, and the index they are found by.

The resources are sealed; what is in the index in the clear is decided in docs/decisions/0030.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from fhir_gateway.store.tables import Base as Base
from fhir_gateway.store.tables import UtcDateTime

#: SQLite counts up only in INTEGER columns.
_SEQUENCE = BigInteger().with_variant(Integer, "sqlite")
#: Compared byte by byte in both databases, so that beginnings of texts use an index.
_TEXT = Text().with_variant(Text(collation="C"), "postgresql")

_OF_PROVIDER = ("type", "parameter", "provider")


class ResourceRow(Base):
    """The current version of a resource. `sequence` says in which order they were made."""

    __tablename__ = "resource"
    __table_args__ = (
        UniqueConstraint("type", "id"),
        # Whole in themselves: a search reads no row, which is large, before it has its page.
        Index("ix_resource_shown", "type", "provider", "deleted", "sequence", "id"),
        Index("ix_resource_updated", "type", "provider", "deleted", "updated_at", "sequence"),
    )

    sequence: Mapped[int] = mapped_column(_SEQUENCE, primary_key=True, autoincrement=True)
    type: Mapped[str] = mapped_column(String(40))
    id: Mapped[str] = mapped_column(String(64))
    #: ODS code of the organisation whose data it is; '' for what is published to everybody.
    provider: Mapped[str] = mapped_column(String(12), index=True)
    version: Mapped[int] = mapped_column(Integer)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted: Mapped[bool] = mapped_column(Boolean)
    #: Whether a client of the API wrote the current version, and not the gateway itself.
    by_client: Mapped[bool] = mapped_column(Boolean)
    #: Keyed hash of the content, so that what is the same is not written again.
    digest: Mapped[str] = mapped_column(String(64))
    content_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    #: The request it is a part of, if any.
    request_id: Mapped[str | None] = mapped_column(String(36), index=True)


class ResourceVersionRow(Base):
    """One version of a resource; the current one too. Without content: it was deleted."""

    __tablename__ = "resource_version"
    __table_args__ = (Index("ix_resource_version_at", "at", "sequence", "version"),)

    sequence: Mapped[int] = mapped_column(ForeignKey("resource.sequence"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    method: Mapped[str] = mapped_column(String(6))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    content_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


class SearchValueRow(Base):
    """One value that a resource is found by (fhir/search/values.py)."""

    __tablename__ = "search_value"
    __table_args__ = (
        Index("ix_search_value_value", *_OF_PROVIDER, "value", "system", "sequence"),
        Index("ix_search_value_low", *_OF_PROVIDER, "low", "high", "sequence"),
        Index("ix_search_value_sequence", "sequence", "parameter"),
    )

    id: Mapped[int] = mapped_column(_SEQUENCE, primary_key=True, autoincrement=True)
    sequence: Mapped[int] = mapped_column(ForeignKey("resource.sequence"))
    type: Mapped[str] = mapped_column(String(40))
    parameter: Mapped[str] = mapped_column(String(60))
    #: That of the resource, so that a client's search does not even pass what others have.
    provider: Mapped[str] = mapped_column(String(12))
    system: Mapped[str] = mapped_column(_TEXT)
    value: Mapped[str] = mapped_column(_TEXT)
    low: Mapped[str] = mapped_column(
        String(40).with_variant(String(40, collation="C"), "postgresql")
    )
    high: Mapped[str] = mapped_column(
        String(40).with_variant(String(40, collation="C"), "postgresql")
    )
    text: Mapped[str] = mapped_column(_TEXT)


class RequestShownRow(Base):
    """Up to which move of a request its resources are shown."""

    __tablename__ = "request_shown"

    request_id: Mapped[str] = mapped_column(ForeignKey("request.id"), primary_key=True)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
