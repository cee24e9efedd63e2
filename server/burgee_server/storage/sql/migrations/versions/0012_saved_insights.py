"""Saved insights."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table, empty: until now no question was kept."""
    op.create_table(
        "saved_insights",
        sa.Column("environment_id", sa.Integer(), nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("contents", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.environment_id"], name=op.f("fk_saved_insights_environment_id")
        ),
        sa.PrimaryKeyConstraint("environment_id", "key", name=op.f("pk_saved_insights")),
    )
