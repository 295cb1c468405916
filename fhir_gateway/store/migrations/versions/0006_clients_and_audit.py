"""Clients of the FHIR API, their tokens, the audit; whose each service is.

Only adds: processes of the release before go on working on the migrated tables.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0004"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_ODS = "https://fhir.nhs.uk/Id/ods-organization-code"


def upgrade() -> None:
    _clients()
    _audit()
    op.add_column(
        "service", sa.Column("ods_code", sa.String(length=12), nullable=False, server_default="")
    )
    op.create_index(op.f("ix_service_ods_code"), "service", ["ods_code"])
    _name_providers()


def downgrade() -> None:
    op.drop_index(op.f("ix_service_ods_code"), "service")
    op.drop_column("service", "ods_code")
    for table in (
        "audit_chain audit_key audit_event used_assertion access_token api_client"
    ).split():
        op.drop_table(table)


def _clients() -> None:
    op.create_table(
        "api_client",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("providers", sa.Text(), nullable=False),
        sa.Column("admin", sa.Boolean(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("jwks", sa.Text(), nullable=True),
        sa.Column("jwks_url", sa.String(length=500), nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("revoked_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_client")),
    )
    op.create_table(
        "access_token",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=36), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["api_client.id"], name=op.f("fk_access_token_client_id")
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_access_token")),
    )
    op.create_index(op.f("ix_access_token_client_id"), "access_token", ["client_id"])
    op.create_index(op.f("ix_access_token_expires_at"), "access_token", ["expires_at"])
    op.create_table(
        "used_assertion",
        sa.Column("jti_hash", sa.String(length=64), nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("jti_hash", name=op.f("pk_used_assertion")),
    )
    op.create_index(op.f("ix_used_assertion_expires_at"), "used_assertion", ["expires_at"])


def _audit() -> None:
    op.create_table(
        "audit_event",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("recorded", _TIME, nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("subtype", sa.String(length=60), nullable=False),
        sa.Column("action", sa.String(length=1), nullable=False),
        sa.Column("outcome", sa.String(length=2), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=False),
        sa.Column("event_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("chain", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("mac", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
        sa.UniqueConstraint("chain", "position", name=op.f("uq_audit_event_chain")),
    )
    op.create_index(op.f("ix_audit_event_recorded"), "audit_event", ["recorded"])
    op.create_index(op.f("ix_audit_event_agent"), "audit_event", ["agent"])
    op.create_table(
        "audit_key",
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["audit_event.id"], name=op.f("fk_audit_key_event_id")
        ),
        sa.PrimaryKeyConstraint("event_id", "kind", "value", name=op.f("pk_audit_key")),
    )
    op.create_index("ix_audit_key_value", "audit_key", ["kind", "value"])
    op.create_table(
        "audit_chain",
        sa.Column("chain", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("mac", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("chain", name=op.f("pk_audit_chain")),
    )


def _name_providers() -> None:
    """Services that are there already: the code is in their Bundle's Organization."""
    service = sa.table("service", sa.column("slug"), sa.column("bundle"), sa.column("ods_code"))
    connection = op.get_bind()
    for slug, bundle in connection.execute(sa.select(service.c.slug, service.c.bundle)).all():
        code = next(
            (
                identifier.get("value", "")
                for entry in json.loads(bytes(bundle)).get("entry", [])
                if entry.get("resource", {}).get("resourceType") == "Organization"
                for identifier in entry["resource"].get("identifier", [])
                if identifier.get("system") == _ODS
            ),
            "",
        )
        connection.execute(
            sa.update(service).where(service.c.slug == slug).values(ods_code=code[:12])
        )
