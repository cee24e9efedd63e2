"""The control store as it began."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables, and the two counters that profiles are numbered by."""
    op.create_table(
        "counters",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
    op.create_table(
        "projects",
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_projects")),
        sa.UniqueConstraint("key", name=op.f("uq_projects_key")),
    )
    op.create_table(
        "environments",
        sa.Column("environment_id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.project_id"], name=op.f("fk_environments_project_id")),
        sa.PrimaryKeyConstraint("environment_id", name=op.f("pk_environments")),
        sa.UniqueConstraint("project_id", "key", name=op.f("uq_environments_project_id_key")),
    )
    op.create_table(
        "api_keys",
        sa.Column("api_key_id", KEY, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("environment_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.environment_id"], name=op.f("fk_api_keys_environment_id")
        ),
        sa.PrimaryKeyConstraint("api_key_id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_keys_digest")),
    )
    op.create_table(
        "audit_entries",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("environment_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.environment_id"], name=op.f("fk_audit_entries_environment_id")
        ),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_audit_entries")),
    )
    op.create_index(
        op.f("ix_audit_entries_environment_id_entry_id"), "audit_entries", ["environment_id", "entry_id"], unique=False
    )
    op.create_table(
        "flag_versions",
        sa.Column("environment_id", sa.Integer(), nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("change_note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.environment_id"], name=op.f("fk_flag_versions_environment_id")
        ),
        sa.PrimaryKeyConstraint("environment_id", "key", "version", name=op.f("pk_flag_versions")),
    )
    op.create_table(
        "flags",
        sa.Column("environment_id", sa.Integer(), nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.environment_id"], name=op.f("fk_flags_environment_id")
        ),
        sa.PrimaryKeyConstraint("environment_id", "key", name=op.f("pk_flags")),
    )
    op.create_table(
        "group_types",
        sa.Column("environment_id", sa.Integer(), nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.environment_id"], name=op.f("fk_group_types_environment_id")
        ),
        sa.PrimaryKeyConstraint("environment_id", "name", name=op.f("pk_group_types")),
    )
    op.create_table(
        "profiles",
        sa.Column("environment_id", sa.Integer(), nullable=False),
        sa.Column("group_type", KEY, nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.environment_id"], name=op.f("fk_profiles_environment_id")
        ),
        sa.PrimaryKeyConstraint("environment_id", "group_type", "key", name=op.f("pk_profiles")),
        sa.UniqueConstraint("revision", name=op.f("uq_profiles_revision")),
    )
    counters = sa.table("counters", sa.column("name"), sa.column("value"))
    names = ("profile_revision", "profile_revision_loaded")
    op.bulk_insert(counters, [{"name": name, "value": 0} for name in names])
