"""What processes share about neighbours, alarms, and who took over from whom.

Only adds: processes of the release before go on working on the migrated tables.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0005"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "gate",
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("paused_at", _TIME, nullable=True),
        sa.Column("paused_by", sa.String(length=200), nullable=False, server_default=""),
        sa.Column("failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("failing_since", _TIME, nullable=True),
        sa.Column("open_until", _TIME, nullable=True),
        sa.Column("next_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_gate")),
    )
    op.create_table(
        "alarm",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("detail", sa.String(length=400), nullable=False, server_default=""),
        sa.Column("raised_at", _TIME, nullable=False),
        sa.Column("cleared_at", _TIME, nullable=True),
        sa.Column("told_at", _TIME, nullable=True),
        sa.Column("told_cleared_at", _TIME, nullable=True),
        sa.Column("telling_until", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm")),
    )
    op.create_index(op.f("ix_alarm_subject"), "alarm", ["subject"])
    # ADD COLUMN alone, with defaults of the server: no table is copied, no old process disturbed.
    op.add_column("delivery_attempt", _text("neighbour", 300))
    op.create_index(op.f("ix_delivery_attempt_neighbour"), "delivery_attempt", ["neighbour"])
    op.add_column("text_message", sa.Column("sent_at", _TIME, nullable=True))
    op.add_column("worker", _text("machine", 80))
    op.add_column("worker", sa.Column("pid", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("worker", _text("started", 40))
    op.add_column("worker", sa.Column("taker", sa.String(length=120), nullable=True))
    op.add_column("worker", sa.Column("taken_at", _TIME, nullable=True))


def downgrade() -> None:
    for column in ("taken_at", "taker", "started", "pid", "machine"):
        op.drop_column("worker", column)
    op.drop_column("text_message", "sent_at")
    op.drop_index(op.f("ix_delivery_attempt_neighbour"), "delivery_attempt")
    op.drop_column("delivery_attempt", "neighbour")
    op.drop_index(op.f("ix_alarm_subject"), "alarm")
    op.drop_table("alarm")
    op.drop_table("gate")


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), nullable=False, server_default="")
