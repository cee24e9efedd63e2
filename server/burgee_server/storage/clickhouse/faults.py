"""Which events of a batch the tables cannot take: the conversions of `landing_to_events`, made not to fail."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from burgee_server.storage.clickhouse.batch_format import COLUMNS, BatchFormat, delimited
from burgee_server.storage.clickhouse.nesting import FLAT_PROPERTIES

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_ASK = """
SELECT position, reason FROM (
    SELECT
        rowNumberInAllBlocks() AS position,
        multiIf(
            isNull(toUUIDOrNull(uuid)), 'uuid: the warehouse cannot read it as a UUID',
            isNull(accurateCastOrNull(toJSONString(groups), 'JSON')), 'groups: the warehouse cannot read them as JSON',
            isNull(accurateCastOrNull({properties}, 'JSON')),
            'properties_json: the warehouse cannot read it as JSON',
            ''
        ) AS reason
    FROM format(ProtobufList, '{columns}', unhex('{batch}'))
)
WHERE reason != ''
"""

# A batch travels in the text of the statement: nothing is kept, so that nothing has to be cleared away, and nothing of
# it is written into the log of queries.
_SETTINGS = {"max_threads": 1, "log_queries": 0}


def find_faults(client: "Client", batch_format: BatchFormat, payload: bytes) -> Mapping[int, str]:
    """The index of each event at fault in a serialized StoredBatch, and what is wrong with it."""
    batch = b"".join(delimited(payload)).hex()
    statement = _ASK.format(columns=COLUMNS, properties=FLAT_PROPERTIES.format(), batch=batch)

    def ask(settings: Mapping[str, str]) -> bytes:
        return client.raw_query(statement, settings={**settings, **_SETTINGS}, fmt="JSONCompact")

    return dict(json.loads(batch_format.run(ask))["data"])
