"""Cohorts that are computed, and the cohort of an environment's own people."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Those that there are stay listed, and nobody is left out of any question."""
    op.add_column("cohorts", sa.Column("computed", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("cohorts", sa.Column("computed_at", sa.BigInteger(), nullable=True))
    op.add_column("environments", sa.Column("internal_cohort_key", KEY, nullable=False, server_default=""))
