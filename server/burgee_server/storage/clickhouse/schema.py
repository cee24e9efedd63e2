"""The tables, as numbered migrations: a later change is a new entry, never an edit of an old one."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

from burgee_server.errors import Unavailable
from burgee_server.storage.clickhouse.layout import Layout
from burgee_server.storage.clickhouse.nesting import FLAT_PROPERTIES

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

# A month a partition: FINAL then works on each month by itself, and in parallel. The sort key begins with what every
# question names and ends in what makes a row unique; of five million events in overlapping parts, FINAL takes a third
# less time over it than over one with the distinct_id in between. An hour after its last event came in, a month
# becomes one part, which FINAL reads at no cost; the month that is being written is left to the usual merges.
_EVENTS = """
    environment_id UInt32,
    event LowCardinality(String),
    timestamp DateTime64(6, 'UTC') CODEC(Delta, ZSTD),
    uuid UUID,
    distinct_id String CODEC(ZSTD),
    groups JSON,
    properties JSON,
    properties_json String CODEC(ZSTD(3)),
    received_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD)
"""
_EVENTS_ORDER = "PARTITION BY toYYYYMM(timestamp) ORDER BY (environment_id, toDate(timestamp), event, uuid)"
_EVENTS_MERGED = "min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1"

_PERSONS = """
    environment_id UInt32,
    distinct_id String,
    properties JSON,
    revision UInt64
"""

_GROUPS = """
    environment_id UInt32,
    group_type LowCardinality(String),
    group_key String,
    properties JSON,
    revision UInt64
"""

_ALIASES = """
    environment_id UInt32,
    distinct_id String,
    person String,
    revision UInt64
"""

_PROFILE_VERSIONS = """
    environment_id UInt32,
    group_type LowCardinality(String),
    key String,
    at DateTime64(6, 'UTC'),
    properties JSON,
    revision UInt64
"""

_COHORT_MEMBERS = """
    environment_id UInt32,
    group_type LowCardinality(String),
    cohort_id UInt32,
    key String,
    removed UInt8,
    revision Int64
"""

_ACTIVITY = """
    environment_id UInt32,
    type LowCardinality(String),
    key String,
    first_seen_at SimpleAggregateFunction(min, DateTime64(6, 'UTC')),
    last_seen_at SimpleAggregateFunction(max, DateTime64(6, 'UTC'))
"""

_LANDING = """
CREATE TABLE IF NOT EXISTS landing{on} (
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
EVENT_ROWS = f"""
SELECT
    environment_id,
    event,
    fromUnixTimestamp64Micro(timestamp_micros, 'UTC') AS timestamp,
    toUUID(uuid) AS uuid,
    distinct_id,
    CAST(toJSONString(groups), 'JSON') AS groups,
    CAST({FLAT_PROPERTIES}, 'JSON') AS properties,
    properties_json,
    fromUnixTimestamp64Micro(received_at_micros, 'UTC') AS received_at
FROM {{source}}
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

_VIEW = "CREATE MATERIALIZED VIEW IF NOT EXISTS {name}{on} TO {table} AS"

Statements: TypeAlias = Iterable[str]


def _begin(layout: Layout) -> Statements:
    # A server that repeats inserts by itself remembers the latest; see _on_disk.
    window = "" if layout.cluster else "non_replicated_deduplication_window = 1000, "
    yield from layout.table(
        "events",
        _EVENTS,
        "ReplacingMergeTree",
        order=_EVENTS_ORDER,
        settings=window + _EVENTS_MERGED,
        spread_by="cityHash64(environment_id, uuid)",  # the same event twice is on one shard, where it counts once
    )
    yield from layout.table(
        "persons",
        _PERSONS,
        "ReplacingMergeTree",
        "revision",
        order="ORDER BY (environment_id, distinct_id)",
        spread_by="cityHash64(environment_id, distinct_id)",
    )
    yield from layout.table(
        "groups",
        _GROUPS,
        "ReplacingMergeTree",
        "revision",
        order="ORDER BY (environment_id, group_type, group_key)",
        spread_by="cityHash64(environment_id, group_type, group_key)",
    )
    yield from layout.table(
        "activity",
        _ACTIVITY,
        "AggregatingMergeTree",
        order="ORDER BY (environment_id, type, key)",
        spread_by="cityHash64(environment_id, type, key)",
    )
    yield _LANDING.format(on=layout.on)
    for table, rows in (("events", EVENT_ROWS), ("activity", ACTIVITY_ROWS)):
        view = _VIEW.format(name=f"landing_to_{table}", on=layout.on, table=table)
        yield view + rows.format(source="landing")
    yield layout.everywhere("owner", "installation String", "MergeTree", "ORDER BY installation")


def _on_disk(layout: Layout) -> Statements:
    """The journal lets go of events, and the mirror of profiles, once an insert has succeeded.

    By then they must be on the disk, and not in the memory of an operating system that may lose its power: for what
    merges write, see _merged_on_disk. And no insert may be left out
    because it looks like one that came before: that is noted before the part is kept, so a process that ends in between
    would have it left out for ever; and what was erased, and is captured anew, may look just like it.
    """
    for table in ("events", "activity", "persons", "groups", "owner"):
        local = table if table == "owner" else layout.local(table)
        yield f"ALTER TABLE {local}{layout.on} MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1"
    if not layout.cluster:
        yield "ALTER TABLE events MODIFY SETTING non_replicated_deduplication_window = 0"


def _touched(layout: Layout) -> Statements:
    """Whose first and last times are being found anew: filled, used and emptied in one go."""
    order = "ORDER BY (type, key)" if layout.cluster else ""
    yield layout.everywhere("touched", "type String, key String", "Memory", order)


def _aliases(layout: Layout) -> Statements:
    """The ids that have become another person's, and whose. In a question they are one list: insights/sql/scope.py."""
    yield from layout.table(
        "aliases",
        _ALIASES,
        "ReplacingMergeTree",
        "revision",
        order="ORDER BY (environment_id, distinct_id)",
        settings="fsync_after_insert = 1, fsync_part_directory = 1",
        spread_by="cityHash64(environment_id, distinct_id)",
    )


def _cohort_members(layout: Layout) -> Statements:
    """Members of listed cohorts, for questions to ask for. A row is somebody who came or went; the latest counts."""
    yield from layout.table(
        "cohort_members",
        _COHORT_MEMBERS,
        "ReplacingMergeTree",
        "revision",
        order="ORDER BY (environment_id, cohort_id, key)",
        settings="fsync_after_insert = 1, fsync_part_directory = 1",
        spread_by="cityHash64(environment_id, cohort_id, key)",
    )


def _profile_versions(layout: Layout) -> Statements:
    """What profiles were, and since when: for questions that ask for properties as of each event."""
    yield from layout.table(
        "profile_versions",
        _PROFILE_VERSIONS,
        "ReplacingMergeTree",
        order="ORDER BY (environment_id, group_type, key, revision)",
        settings="fsync_after_insert = 1, fsync_part_directory = 1",
        spread_by="cityHash64(environment_id, group_type, key)",
    )


def _compact(layout: Layout) -> Statements:
    """What was just loaded is in one file, and what was merged has files for each column, and each property.

    A property is some 15 files: an insert of 800 events that have a thousand different ones wrote 15,689. What is
    below 64 MB, and so what an insert brings, is compact (docs/decisions/0067).
    """
    for table in ("events", "persons", "groups", "profile_versions"):
        yield f"ALTER TABLE {layout.local(table)}{layout.on} MODIFY SETTING min_bytes_for_wide_part = {64 << 20}"


def _days(layout: Layout) -> Statements:
    """The day of an event costs nothing on the disk, where events lie in the order of days, and is read in no time.

    Within a day they lie in no order of time: there, differences are of no use, and leaving out the bits that a day has
    in common takes less room and a third less time.
    """
    for column in ("timestamp", "received_at"):
        codec = "DateTime64(6, 'UTC') CODEC(T64, LZ4)"
        yield f"ALTER TABLE {layout.local('events')}{layout.on} MODIFY COLUMN {column} {codec}"
    yield from layout.add_column("events", "day", "Date", "toDate(timestamp)")


def _few_columns(layout: Layout) -> Statements:
    """Of the properties in a part that was merged, the 256 that most rows have are columns; the others share 32.

    With a thousand columns a merge of four parts had more than 20,000 files open (docs/decisions/0067).
    """
    for table in ("events", "persons", "groups", "profile_versions"):
        yield (
            f"ALTER TABLE {layout.local(table)}{layout.on} MODIFY SETTING"
            " merge_max_dynamic_subcolumns_in_wide_part = 256, merge_max_dynamic_subcolumns_in_compact_part = 256"
        )


def _by_column(layout: Layout) -> Statements:
    """What merges into a wide part is merged column by column: a third less work than row by row, and less memory.

    ClickHouse does so by itself from eleven columns on beside the sort key; events have seven (docs/decisions/0089).
    """
    setting = "vertical_merge_algorithm_min_columns_to_activate = 1"
    yield f"ALTER TABLE {layout.local('events')}{layout.on} MODIFY SETTING {setting}"


def _merged_on_disk(layout: Layout) -> Statements:
    """What a merge or a removal writes is on the disk before the parts that it was made of go.

    A ClickHouse server keeps those for eight minutes, until the operating system has surely written; chDB for none
    (docs/decisions/0091).
    """
    tables = ("events", "activity", "persons", "groups", "aliases", "cohort_members", "profile_versions")
    for table in tables:
        yield f"ALTER TABLE {layout.local(table)}{layout.on} MODIFY SETTING min_rows_to_fsync_after_merge = 1"


def _flat_lists(layout: Layout) -> Statements:
    """Lists and objects in lists are text, and 128 properties have columns of their own, not 256.

    What is in a part stays in memory for each of its columns (docs/decisions/0090).
    """
    yield f"ALTER TABLE landing_to_events{layout.on} MODIFY QUERY {EVENT_ROWS.format(source='landing')}"
    for table in ("events", "persons", "groups", "profile_versions"):
        yield (
            f"ALTER TABLE {layout.local(table)}{layout.on} MODIFY SETTING"
            " merge_max_dynamic_subcolumns_in_wide_part = 128, merge_max_dynamic_subcolumns_in_compact_part = 128"
        )


def _great_numbers(layout: Layout) -> Statements:
    """Beside a list that became text, a double of 2^64 and more is a number still (docs/decisions/0090)."""
    yield f"ALTER TABLE landing_to_events{layout.on} MODIFY QUERY {EVENT_ROWS.format(source='landing')}"


def _quarters(layout: Layout) -> Statements:
    """The quarter of an hour of its day, 0 to 95, that an event lies in: where days begin, in whatever time zone.

    Within a day they lie in no order, so no codec makes them smaller by more than a sixth, and reading them plain takes
    a quarter less time (docs/decisions/0104).
    """
    quarter = "toUInt8(intDiv(toUnixTimestamp64Micro(timestamp) % 86400000000, 900000000))"
    yield from layout.add_column("events", "quarter_hour", "UInt8", quarter, "NONE")


MIGRATIONS = (
    _begin,
    _on_disk,
    _touched,
    _aliases,
    _cohort_members,
    _profile_versions,
    _compact,
    _days,
    _few_columns,
    _by_column,
    _merged_on_disk,
    _flat_lists,
    _great_numbers,
    _quarters,
)


def migrate(client: "Client", layout: Layout) -> None:
    """Bring the tables to the newest version; a step that was cut short is safe to run again.

    Raises Unavailable if a newer Burgee has written them.
    """
    client.command(versions_table(layout))
    version = int(client.query("SELECT max(version) FROM schema_versions").result_rows[0][0])
    if version > len(MIGRATIONS):
        raise Unavailable(f"the warehouse has schema {version}; this Burgee knows {len(MIGRATIONS)}: upgrade it")
    for number, statements in enumerate(MIGRATIONS[version:], version + 1):
        for statement in statements(layout):
            client.command(statement)
        client.command("INSERT INTO schema_versions (version) SELECT {version:UInt32}", parameters={"version": number})


def versions_table(layout: Layout) -> str:
    """The statement that makes the table of versions."""
    columns = "version UInt32, applied_at DateTime DEFAULT now()"
    return layout.everywhere("schema_versions", columns, "MergeTree", "ORDER BY version")
