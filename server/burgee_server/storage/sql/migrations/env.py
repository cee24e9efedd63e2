"""Runs migrations on the connection that engine.py hands in; writes new ones with `alembic revision`."""

from alembic import context

from burgee_server.storage.sql.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
