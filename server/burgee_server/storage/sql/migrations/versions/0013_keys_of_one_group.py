"""API keys may be for one group."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Keys that are there are for none in particular, as they were."""
    op.add_column("api_keys", sa.Column("group_type", sa.Text(), nullable=False, server_default=""))
    op.add_column("api_keys", sa.Column("group_key", sa.Text(), nullable=False, server_default=""))
