"""Where the tables are: all in one place, or spread over the shards of a cluster and copied to its replicas.

On a cluster, what is asked for and inserted by name is a Distributed table over one of the name with `_local` on every
shard. Small tables of which every node has all keep their name.
"""

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

_PATH = "/clickhouse/tables/{{shard}}/{{database}}/{table}"
_PATH_EVERYWHERE = "/clickhouse/tables/{{database}}/{table}"


@dataclass(frozen=True, slots=True)
class Layout:
    """Of one server, embedded or not, where `cluster` is empty; else of a cluster that its servers know by this name.

    The servers of a cluster have the macros {shard} and {replica}, and a Keeper.
    """

    cluster: str = ""

    @property
    def on(self) -> str:
        """What follows the name in a statement that every server is to carry out."""
        return f" ON CLUSTER {self._name}" if self.cluster else ""

    def local(self, table: str) -> str:
        """The table that has the rows, for what changes or removes them."""
        return f"{table}_local" if self.cluster else table

    def system(self, table: str) -> str:
        """A system table, of all servers."""
        return f"clusterAllReplicas({self._name}, system.{table})" if self.cluster else f"system.{table}"

    def table(
        self, name: str, columns: str, engine: str, version: str = "", *, order: str, settings: str = "", spread_by: str
    ) -> tuple[str, ...]:
        """The statements that make a table of the MergeTree family; rows with the same `spread_by` are on one shard."""
        local = self.local(name)
        if self.cluster:
            settings = ", ".join(filter(None, (settings, "replicated_deduplication_window = 0")))
            kept = _replicated(engine, _PATH.format(table=local), "{replica}", version)
        else:
            kept = f"{engine}({version})" if version else engine
        make = f"CREATE TABLE IF NOT EXISTS {local}{self.on} ({columns}) ENGINE = {kept} {order}"
        make += f" SETTINGS {settings}" if settings else ""
        if not self.cluster:
            return (make,)
        over = f"Distributed({self._name}, currentDatabase(), {local}, {spread_by})"
        return make, f"CREATE TABLE IF NOT EXISTS {name}{self.on} ({columns}) ENGINE = {over}"

    def add_column(self, table: str, name: str, type_: str, value: str, codec: str = "") -> tuple[str, ...]:
        """The statements that give a table() a column which follows from the others; `name` is SQL.

        Rows that are there have it at once, worked out whenever it is read, and kept once it has been written for them:
        from now on, part by part, while everything else goes on.
        """
        tables = dict.fromkeys((self.local(table), table))
        column = f"ADD COLUMN IF NOT EXISTS {name} {type_} MATERIALIZED {value}" + (f" CODEC({codec})" if codec else "")
        return *(f"ALTER TABLE {each}{self.on} {column}" for each in tables), self.fill_column(table, name)

    def fill_column(self, table: str, name: str) -> str:
        """The statement that begins to write such a column for the rows that were there before it."""
        return f"ALTER TABLE {self.local(table)}{self.on} MATERIALIZE COLUMN {name} SETTINGS mutations_sync = 0"

    def everywhere(self, name: str, columns: str, engine: str, order: str) -> str:
        """The statement that makes a small table of which every server has all."""
        if self.cluster:
            engine = _replicated("MergeTree", _PATH_EVERYWHERE.format(table=name), "{shard}-{replica}", "")
        return f"CREATE TABLE IF NOT EXISTS {name}{self.on} ({columns}) ENGINE = {engine} {order}".rstrip()

    @property
    def insert_settings(self) -> dict[str, str | int]:
        """With which an insert that has returned is on the disk of a replica of each shard, and none is left out."""
        return {"distributed_foreground_insert": 1, "insert_deduplicate": 0} if self.cluster else {}

    @property
    def query_settings(self) -> dict[str, str | int]:
        """With which a question within a question is asked of all shards, and once."""
        return {"distributed_product_mode": "global"} if self.cluster else {}

    @property
    def removal_settings(self) -> dict[str, str | int]:
        """With which a removal may ask which rows: `touched` is the same on every server while it does."""
        return {"allow_nondeterministic_mutations": 1} if self.cluster else {}

    @property
    def in_(self) -> str:
        """IN, for a set that only the server which is asked has."""
        return "GLOBAL IN" if self.cluster else "IN"

    @property
    def _name(self) -> str:
        return "`" + self.cluster.replace("\\", "\\\\").replace("`", "\\`") + "`"


def layout_of(url: str) -> tuple[str, Layout]:
    """What a client is to be given of a warehouse's URL, and the layout that its `cluster=` asks for."""
    parts = urlsplit(url)
    given = dict(parse_qsl(parts.query))
    cluster = given.pop("cluster", "")
    return (parts._replace(query=urlencode(given)).geturl() if cluster else url), Layout(cluster)


def _replicated(engine: str, path: str, replica: str, version: str) -> str:
    arguments = f"'{path}', '{replica}'" + (f", {version}" if version else "")
    return f"Replicated{engine}({arguments})"
