"""API keys may have a limit of questions at a time."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Keys have no limit of their own until somebody says so."""
    op.add_column("api_keys", sa.Column("queries_at_a_time", sa.Integer(), nullable=False, server_default="0"))
