"""Attempts know, by a hash, which patient they are about.

Only adds: processes of the release before go on working on the migrated tables.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "delivery_attempt",
        sa.Column("subject_mac", sa.String(length=64), nullable=False, server_default=""),
    )
    op.create_index("ix_delivery_attempt_subject", "delivery_attempt", ["subject_mac", "neighbour"])


def downgrade() -> None:
    op.drop_index("ix_delivery_attempt_subject", "delivery_attempt")
    op.drop_column("delivery_attempt", "subject_mac")
