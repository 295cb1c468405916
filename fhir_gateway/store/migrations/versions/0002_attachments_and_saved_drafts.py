"""Files of drafts, and drafts that are saved for later."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attachment",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("draft_id", sa.String(length=36), nullable=False),
        sa.Column("content_type", sa.String(length=80), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["draft_id"], ["draft.id"], name=op.f("fk_attachment_draft_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
    )
    op.create_index(op.f("ix_attachment_draft_id"), "attachment", ["draft_id"])
    op.add_column("draft", sa.Column("saved_mac", sa.String(length=64), nullable=True))
    op.add_column("draft", sa.Column("saved_until", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_draft_saved_mac"), "draft", ["saved_mac"])


def downgrade() -> None:
    op.drop_index(op.f("ix_draft_saved_mac"), table_name="draft")
    op.drop_column("draft", "saved_until")
    op.drop_column("draft", "saved_mac")
    op.drop_index(op.f("ix_attachment_draft_id"), table_name="attachment")
    op.drop_table("attachment")
