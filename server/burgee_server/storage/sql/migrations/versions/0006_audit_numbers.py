"""Audit entries are numbered in the order of commits, by a counter."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Begin to count after the entries that there are."""
    op.execute(
        sa.text(
            "INSERT INTO counters (name, value) SELECT 'audit_entry', coalesce(max(entry_id), 0) FROM audit_entries"
        )
    )
