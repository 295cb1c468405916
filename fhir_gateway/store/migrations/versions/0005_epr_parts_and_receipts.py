"""Partial progress in an EPR, what it answered, and receipts of texts."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "epr_part",
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("full_url", sa.String(length=200), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=True),
        sa.Column("version", sa.String(length=80), nullable=False),
        sa.Column("intended_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["request.id"], name=op.f("fk_epr_part_request_id")
        ),
        sa.PrimaryKeyConstraint("request_id", "full_url", name=op.f("pk_epr_part")),
    )
    op.add_column("request", sa.Column("epr_answer_sealed", sa.LargeBinary(), nullable=True))
    op.add_column(
        "text_message",
        sa.Column("receipt", sa.String(length=20), nullable=False, server_default=""),
    )
    op.add_column("text_message", sa.Column("receipt_at", sa.DateTime(timezone=True)))
    op.create_index(op.f("ix_text_message_provider_id"), "text_message", ["provider_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_text_message_provider_id"), "text_message")
    op.drop_column("text_message", "receipt_at")
    op.drop_column("text_message", "receipt")
    op.drop_column("request", "epr_answer_sealed")
    op.drop_table("epr_part")
