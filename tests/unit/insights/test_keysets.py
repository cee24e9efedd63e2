"""Sets of keys in SQL: put together in any way, they hold whom they should."""

from itertools import product

import pytest

from burgee_server.insights.sql.keysets import NOBODY, KeySet, among, every, some
from burgee_server.ports.warehouse import Statement
from burgee_server.storage.clickhouse import ClickHouseWarehouse

EVERYBODY = range(8)
"""The bits of a number say in which of three sets it is."""


def holds(number: int, bit: int, complement: bool) -> bool:
    """Whether a number is in the set of a bit, or in all but that set."""
    return bool(number >> bit & 1) is not complement


@pytest.mark.parametrize("complements", [*product([False, True], repeat=3), (True,), (False, True)])
async def test_all_and_any_of_sets_and_of_what_they_leave_out(
    warehouse: ClickHouseWarehouse, complements: tuple[bool, ...]
) -> None:
    """Of one, two and three, with a key that comes up twice."""
    sets = [
        KeySet(f"SELECT toString(number) AS key FROM numbers(15) WHERE bitTest(number, {bit})", complement)
        for bit, complement in enumerate(complements)
    ]
    twice = [KeySet(f"SELECT key FROM ({each.sql}) ARRAY JOIN [1, 2] AS again", each.complement) for each in sets]
    for together, word in ((every, all), (some, any)):
        expected = [n for n in EVERYBODY if word(holds(n, bit, each) for bit, each in enumerate(complements))]
        for keys, wanted in ((together(twice), expected), (~together(sets), sorted({*EVERYBODY} - {*expected}))):
            sql = f"SELECT number FROM numbers(8) WHERE {among('toString(number)', keys)} ORDER BY number"
            assert [row[0] for row in (await warehouse.query(Statement(sql))).rows] == wanted, (word, complements)


async def test_nobody_is_nobody(warehouse: ClickHouseWarehouse) -> None:
    """And everybody else is everybody."""
    for keys, count in ((NOBODY, 0), (~NOBODY, 3)):
        sql = f"SELECT count() FROM numbers(3) WHERE {among('toString(number)', keys)}"
        answer = await warehouse.query(Statement(sql))
        assert answer.rows[0][0] == count
