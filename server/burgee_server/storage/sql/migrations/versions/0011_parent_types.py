"""The groups of a type may belong to those of another."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table, empty: until now no type belonged to another."""
    op.create_table(
        "parent_types",
        sa.Column("environment_id", sa.Integer(), nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("parent_type", KEY, nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.environment_id"], name=op.f("fk_parent_types_environment_id")
        ),
        sa.PrimaryKeyConstraint("environment_id", "name", "revision", name=op.f("pk_parent_types")),
        sqlite_with_rowid=False,
    )
