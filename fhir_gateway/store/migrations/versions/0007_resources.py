"""Resources that the FHIR API shows, their versions, and the index they are found by."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_MOMENT = sa.String(length=40).with_variant(sa.String(length=40, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "resource",
        sa.Column("sequence", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("by_client", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=True),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_resource")),
        sa.UniqueConstraint("type", "id", name=op.f("uq_resource_type")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_resource_provider"), "resource", ["provider"])
    op.create_index(op.f("ix_resource_request_id"), "resource", ["request_id"])
    kept = ["type", "provider", "deleted"]
    op.create_index("ix_resource_shown", "resource", [*kept, "sequence", "id"])
    op.create_index("ix_resource_updated", "resource", [*kept, "updated_at", "sequence"])
    op.create_table(
        "resource_version",
        sa.Column("sequence", _SEQUENCE, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(length=6), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["sequence"], ["resource.sequence"], name=op.f("fk_resource_version_sequence")
        ),
        sa.PrimaryKeyConstraint("sequence", "version", name=op.f("pk_resource_version")),
    )
    op.create_index("ix_resource_version_at", "resource_version", ["at", "sequence", "version"])
    op.create_table(
        "search_value",
        sa.Column("id", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("sequence", _SEQUENCE, nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("parameter", sa.String(length=60), nullable=False),
        sa.Column("provider", sa.String(length=12), nullable=False),
        sa.Column("system", _TEXT, nullable=False),
        sa.Column("value", _TEXT, nullable=False),
        sa.Column("low", _MOMENT, nullable=False),
        sa.Column("high", _MOMENT, nullable=False),
        sa.Column("text", _TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["sequence"], ["resource.sequence"], name=op.f("fk_search_value_sequence")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_value")),
    )
    key = ["type", "parameter", "provider"]
    op.create_index("ix_search_value_value", "search_value", [*key, "value", "system", "sequence"])
    op.create_index("ix_search_value_low", "search_value", [*key, "low", "high", "sequence"])
    op.create_index("ix_search_value_sequence", "search_value", ["sequence", "parameter"])
    op.create_table(
        "request_shown",
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["request.id"], name=op.f("fk_request_shown_request_id")
        ),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_request_shown")),
    )


def downgrade() -> None:
    op.drop_table("request_shown")
    op.drop_table("search_value")
    op.drop_table("resource_version")
    op.drop_table("resource")
