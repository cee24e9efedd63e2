"""What profiles were is copied to the warehouse, too."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Begin with the first of them."""
    op.create_index(op.f("ix_profile_versions_revision"), "profile_versions", ["revision"], unique=False)
    op.execute("INSERT INTO counters (name, value) VALUES ('profile_version_loaded', 0)")
