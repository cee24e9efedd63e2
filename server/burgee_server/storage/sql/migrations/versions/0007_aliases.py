"""Several ids may be one person."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table, empty: until now every id was a person of its own."""
    op.create_table(
        "aliases",
        sa.Column("environment_id", sa.Integer(), nullable=False),
        sa.Column("distinct_id", KEY, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("person", KEY, nullable=False),
        sa.Column("merged_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.environment_id"], name=op.f("fk_aliases_environment_id")
        ),
        sa.PrimaryKeyConstraint("environment_id", "distinct_id", "revision", name=op.f("pk_aliases")),
        sa.UniqueConstraint("revision", name=op.f("uq_aliases_revision")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_aliases_environment_id_person"), "aliases", ["environment_id", "person"], unique=False)
