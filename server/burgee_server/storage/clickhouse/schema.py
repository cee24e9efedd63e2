"""The tables, as numbered migrations: a later change is a new entry, never an edit of an old one."""

from typing import TYPE_CHECKING

from burgee_server.errors import Unavailable

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

# A month a partition: FINAL then works on each month by itself, and in parallel. The sort key begins with what every
# question names and ends in what makes a row unique; of five million events in overlapping parts, FINAL takes a third
# less time over it than over one with the distinct_id in between. An hour after its last event came in, a month
# becomes one part, which FINAL reads at no cost; the month that is being written is left to the usual merges.
_EVENTS = """
CREATE TABLE IF NOT EXISTS events (
    environment_id UInt32,
    event LowCardinality(String),
    timestamp DateTime64(6, 'UTC') CODEC(Delta, ZSTD),
    uuid UUID,
    distinct_id String CODEC(ZSTD),
    groups JSON,
    properties JSON,
    properties_json String CODEC(ZSTD(3)),
    received_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (environment_id, toDate(timestamp), event, uuid)
SETTINGS
    non_replicated_deduplication_window = 1000,
    min_age_to_force_merge_seconds = 3600,
    min_age_to_force_merge_on_partition_only = 1
"""

_PERSONS = """
CREATE TABLE IF NOT EXISTS persons (
    environment_id UInt32,
    distinct_id String,
    properties JSON,
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (environment_id, distinct_id)
"""

_GROUPS = """
CREATE TABLE IF NOT EXISTS groups (
    environment_id UInt32,
    group_type LowCardinality(String),
    group_key String,
    properties JSON,
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (environment_id, group_type, group_key)
"""

_ACTIVITY = """
CREATE TABLE IF NOT EXISTS activity (
    environment_id UInt32,
    type LowCardinality(String),
    key String,
    first_seen_at SimpleAggregateFunction(min, DateTime64(6, 'UTC')),
    last_seen_at SimpleAggregateFunction(max, DateTime64(6, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (environment_id, type, key)
"""

_LANDING = """
CREATE TABLE IF NOT EXISTS landing (
    environment_id UInt32,
    uuid String,
    event String,
    distinct_id String,
    groups Map(String, String),
    properties_json String,
    timestamp_micros Int64,
    received_at_micros Int64
)
ENGINE = Null
"""

# What events become, by table: `landing` has a view for each, and load_again() asks for the same of `staging`.
EVENT_ROWS = """
SELECT
    environment_id,
    event,
    fromUnixTimestamp64Micro(timestamp_micros, 'UTC') AS timestamp,
    toUUID(uuid) AS uuid,
    distinct_id,
    CAST(toJSONString(groups), 'JSON') AS groups,
    CAST(if(properties_json = '', '{{}}', properties_json), 'JSON') AS properties,
    properties_json,
    fromUnixTimestamp64Micro(received_at_micros, 'UTC') AS received_at
FROM {source}
"""

ACTIVITY_ROWS = """
SELECT
    environment_id,
    seen.1 AS type,
    seen.2 AS key,
    min(fromUnixTimestamp64Micro(timestamp_micros, 'UTC')) AS first_seen_at,
    max(fromUnixTimestamp64Micro(timestamp_micros, 'UTC')) AS last_seen_at
FROM {source}
ARRAY JOIN arrayPushBack(CAST(groups, 'Array(Tuple(String, String))'), ('user', distinct_id)) AS seen
GROUP BY environment_id, type, key
"""

_VIEW = "CREATE MATERIALIZED VIEW IF NOT EXISTS {name} TO {table} AS"
_LANDING_TO_EVENTS = _VIEW.format(name="landing_to_events", table="events") + EVENT_ROWS.format(source="landing")
_LANDING_TO_ACTIVITY = _VIEW.format(name="landing_to_activity", table="activity") + ACTIVITY_ROWS.format(
    source="landing"
)

_OWNER = "CREATE TABLE IF NOT EXISTS owner (installation String) ENGINE = MergeTree ORDER BY installation"

# The journal lets go of events, and the mirror of profiles, once an insert has succeeded: by then they must be on the
# disk, and not in the memory of an operating system that may lose its power. (What a merge writes need not be: the
# parts that it was made of stay for eight minutes.) And no insert may be left out because it looks like one that came
# before: that is noted before the part is kept, so a process that ends in between would have it left out for ever.
_ON_DISK = tuple(
    f"ALTER TABLE {table} MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1"
    for table in ("events", "activity", "persons", "groups", "owner")
)
_NEVER_LEFT_OUT = "ALTER TABLE events MODIFY SETTING non_replicated_deduplication_window = 0"

# Whose first and last times are being found anew. In memory: it is filled, used and emptied in one go.
_TOUCHED = "CREATE TABLE IF NOT EXISTS touched (type String, key String) ENGINE = Memory"

# The ids that have become another person's, and whose. In a question they are one list: see insights/sql/scope.py.
_ALIASES = """
CREATE TABLE IF NOT EXISTS aliases (
    environment_id UInt32,
    distinct_id String,
    person String,
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (environment_id, distinct_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
"""

MIGRATIONS = (
    (_EVENTS, _PERSONS, _GROUPS, _ACTIVITY, _LANDING, _LANDING_TO_EVENTS, _LANDING_TO_ACTIVITY, _OWNER),
    (*_ON_DISK, _NEVER_LEFT_OUT),
    (_TOUCHED,),
    (_ALIASES,),
)


def migrate(client: "Client") -> None:
    """Bring the tables to the newest version; a step that was cut short is safe to run again.

    Raises Unavailable if a newer Burgee has written them.
    """
    client.command(
        "CREATE TABLE IF NOT EXISTS schema_versions (version UInt32, applied_at DateTime DEFAULT now()) "
        "ENGINE = MergeTree ORDER BY version"
    )
    version = int(client.query("SELECT max(version) FROM schema_versions").result_rows[0][0])
    if version > len(MIGRATIONS):
        raise Unavailable(f"the warehouse has schema {version}; this Burgee knows {len(MIGRATIONS)}: upgrade it")
    for number, statements in enumerate(MIGRATIONS[version:], version + 1):
        for statement in statements:
            client.command(statement)
        client.command("INSERT INTO schema_versions (version) SELECT {version:UInt32}", parameters={"version": number})
