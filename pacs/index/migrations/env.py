"""How alembic runs the steps: on the connection that `pacs.index.migrate` holds."""

from alembic import context

from pacs.index.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
