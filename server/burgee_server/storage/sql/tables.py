"""The tables of the control store as they are now; migrations/ is how they came to be."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as microseconds since 1970 UTC: exact and ordered in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """To the database."""
        return None if value is None else (value - _EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """From the database."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)


def _key() -> String:
    """Text that sorts by its bytes, in every database as in the warehouse."""
    return String().with_variant(String(collation="C"), "postgresql")


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

projects = Table(
    "projects",
    metadata,
    Column("project_id", Integer, primary_key=True),
    Column("key", _key(), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

environments = Table(
    "environments",
    metadata,
    Column("environment_id", Integer, primary_key=True),
    Column("project_id", ForeignKey("projects.project_id"), nullable=False),
    Column("key", _key(), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("retention_days", Integer, nullable=False, server_default="0"),
    Column("internal_cohort_key", _key(), nullable=False, server_default=""),
    UniqueConstraint("project_id", "key"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("api_key_id", _key(), primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("environment_id", ForeignKey("environments.environment_id"), nullable=False),
    Column("role", String, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("events_per_second", Integer, nullable=False, server_default="0"),
    Column("queries_at_a_time", Integer, nullable=False, server_default="0"),
    Column("group_type", Text, nullable=False, server_default=""),
    Column("group_key", Text, nullable=False, server_default=""),
)

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("entry_id", Integer, primary_key=True),
    Column("environment_id", ForeignKey("environments.environment_id"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", String, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Index(None, "environment_id", "entry_id"),
)

flags = Table(
    "flags",
    metadata,
    Column("environment_id", ForeignKey("environments.environment_id"), primary_key=True),
    Column("key", _key(), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("archived", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
)

flag_versions = Table(
    "flag_versions",
    metadata,
    Column("environment_id", ForeignKey("environments.environment_id"), primary_key=True),
    Column("key", _key(), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("document", JSON, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("change_note", Text, nullable=False),
)

group_types = Table(
    "group_types",
    metadata,
    Column("environment_id", ForeignKey("environments.environment_id"), primary_key=True),
    Column("name", _key(), primary_key=True),
    Column("created_at", Instant, nullable=False),
)

profiles = Table(
    "profiles",
    metadata,
    Column("environment_id", ForeignKey("environments.environment_id"), primary_key=True),
    Column("group_type", _key(), primary_key=True),
    Column("key", _key(), primary_key=True),
    Column("properties", JSON, nullable=False),
    Column("revision", BigInteger, nullable=False, unique=True),
)

profile_versions = Table(
    "profile_versions",
    metadata,
    Column("environment_id", ForeignKey("environments.environment_id"), primary_key=True),
    Column("group_type", _key(), primary_key=True),
    Column("key", _key(), primary_key=True),
    Column("changed_at", Instant, primary_key=True),
    Column("revision", BigInteger, primary_key=True),
    Column("properties", JSON, nullable=False),
    Index(None, "revision"),
    sqlite_with_rowid=False,  # the key is the table: one tree to write to at each change, and not two
)

aliases = Table(
    "aliases",
    metadata,
    Column("environment_id", ForeignKey("environments.environment_id"), primary_key=True),
    Column("distinct_id", _key(), primary_key=True),
    Column("revision", BigInteger, primary_key=True),
    Column("person", _key(), nullable=False),
    Column("merged_at", Instant, nullable=False),
    UniqueConstraint("revision"),
    Index(None, "environment_id", "person"),
    sqlite_with_rowid=False,
)

parent_types = Table(
    "parent_types",
    metadata,
    Column("environment_id", ForeignKey("environments.environment_id"), primary_key=True),
    Column("name", _key(), primary_key=True),
    Column("revision", BigInteger, primary_key=True),
    Column("parent_type", _key(), nullable=False),  # empty: belongs to none
    Column("changed_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)

cohorts = Table(
    "cohorts",
    metadata,
    Column("cohort_id", Integer, primary_key=True),
    Column("environment_id", ForeignKey("environments.environment_id"), nullable=False),
    Column("key", _key(), nullable=False),
    Column("group_type", _key(), nullable=False),
    Column("description", Text, nullable=False),
    Column("member_count", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("computed", JSON(none_as_null=True)),  # how; NULL: it is listed
    Column("computed_at", Instant),
    Column("deleted_at", Instant),  # one that is gone stays, as the past still asks for it
    Index(
        "ix_cohorts_environment_id_key",
        "environment_id",
        "key",
        unique=True,
        sqlite_where=text("deleted_at IS NULL"),
        postgresql_where=text("deleted_at IS NULL"),
    ),
)

cohort_members = Table(
    "cohort_members",
    metadata,
    Column("cohort_id", ForeignKey("cohorts.cohort_id"), primary_key=True),
    Column("key", _key(), primary_key=True),
    Column("added_at", Instant, primary_key=True),
    Column("removed_at", Instant),
    Index(None, "key", "cohort_id"),
    sqlite_with_rowid=False,
)

actions = Table(
    "actions",
    metadata,
    Column("environment_id", ForeignKey("environments.environment_id"), primary_key=True),
    Column("key", _key(), primary_key=True),
    Column("description", Text, nullable=False),
    Column("matchers", JSON, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

saved_insights = Table(
    "saved_insights",
    metadata,
    Column("environment_id", ForeignKey("environments.environment_id"), primary_key=True),
    Column("key", _key(), primary_key=True),
    Column("contents", JSON, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

erasures = Table(
    "erasures",
    metadata,
    Column("erasure_id", String, primary_key=True),
    Column("environment_id", ForeignKey("environments.environment_id"), nullable=False),
    Column("group_type", _key(), nullable=False),
    Column("key", _key()),
    Column("key_sha256", String, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("revision", BigInteger, nullable=False, unique=True),
    Column("requested_at", Instant, nullable=False),
    Column("done_at", Instant),
    Column("events", BigInteger),
    Column("received_until", Instant),
    Index(None, "environment_id", "revision"),
)

counters = Table(
    "counters",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
