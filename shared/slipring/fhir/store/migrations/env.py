"""Run the version files on the connection handed in; its search_path names the schema."""

from alembic import context

from slipring.fhir.store.partitions import PARTITIONS

connection = context.config.attributes["connection"]
partitions = set(connection.exec_driver_sql(PARTITIONS).scalars())
context.configure(
    connection=connection,
    include_name=lambda name, kind, _: kind != "table" or name not in partitions,
    target_metadata=context.config.attributes.get("tables"),  # to draft the next file; no start needs the models
    compare_server_default=True,
    transactional_ddl=True,
)
context.run_migrations()
