"""Profiles keep what they were."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the history of profiles. It begins with each profile as it is now.

    When that was changed was not recorded. It is taken to have been so since its environment was created, before
    which nobody can have asked.
    """
    op.create_table(
        "profile_versions",
        sa.Column("environment_id", sa.Integer(), nullable=False),
        sa.Column("group_type", KEY, nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.environment_id"], name=op.f("fk_profile_versions_environment_id")
        ),
        sa.PrimaryKeyConstraint(
            "environment_id", "group_type", "key", "changed_at", "revision", name=op.f("pk_profile_versions")
        ),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO profile_versions (environment_id, group_type, key, changed_at, revision, properties)"
        " SELECT profiles.environment_id, profiles.group_type, profiles.key, environments.created_at,"
        " profiles.revision, profiles.properties"
        " FROM profiles JOIN environments ON environments.environment_id = profiles.environment_id"
    )
