"""Run the version files on the connection handed in; its search_path names the schema."""

from alembic import context

from slipring.fhir.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_server_default=True,
    transactional_ddl=True,
)
context.run_migrations()
