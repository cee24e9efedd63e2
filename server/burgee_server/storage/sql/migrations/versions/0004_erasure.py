"""Persons and groups can be erased, environments keep events for some time, API keys have limits."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table of erasures. Events are kept for good, and keys have no limit, until somebody says otherwise."""
    for table, column in (("environments", "retention_days"), ("api_keys", "events_per_second")):
        op.add_column(table, sa.Column(column, sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "erasures",
        sa.Column("erasure_id", sa.String(), nullable=False),
        sa.Column("environment_id", sa.Integer(), nullable=False),
        sa.Column("group_type", KEY, nullable=False),
        sa.Column("key", KEY, nullable=True),
        sa.Column("key_sha256", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.Column("events", sa.BigInteger(), nullable=True),
        sa.Column("received_until", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.environment_id"], name=op.f("fk_erasures_environment_id")
        ),
        sa.PrimaryKeyConstraint("erasure_id", name=op.f("pk_erasures")),
        sa.UniqueConstraint("revision", name=op.f("uq_erasures_revision")),
    )
    op.create_index(op.f("ix_erasures_state"), "erasures", ["state"], unique=False)
    op.create_index(
        op.f("ix_erasures_environment_id_revision"), "erasures", ["environment_id", "revision"], unique=False
    )
