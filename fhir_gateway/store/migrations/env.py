"""Alembic's environment: migrates over the connection that Database.migrate hands in."""

from alembic import context

from fhir_gateway.store import access_tables as _access_tables  # noqa: F401 - its tables
from fhir_gateway.store import outreach_tables as _outreach_tables  # noqa: F401 - its tables
from fhir_gateway.store import resource_tables as _resource_tables  # noqa: F401 - tables
from fhir_gateway.store.flow_tables import Base  # with its tables known to it

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
