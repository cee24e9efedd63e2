"""Sets of columns as bits of one number, of several, and as arrays: the same sets."""

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burgee_server.insights.sql.positions import Positions
from burgee_server.ports.warehouse import Statement
from burgee_server.storage.clickhouse import ClickHouseWarehouse
from tests.fixtures.examples import examples

_COUNTS = [3, 64, 65, 128, 129, 256, 257, 1_000, 2_048, 2_049]


@examples(3)
@pytest.mark.parametrize("count", _COUNTS)
@given(st.data())
async def test_a_set_of_columns_is_what_was_gathered(
    warehouse: ClickHouseWarehouse, count: int, data: st.DataObject
) -> None:
    """Members, size, those after another or a gap, gaps, those from each on; also of two that were merged, and
    of a condition."""
    borders = [0, 255, 256, 511, 512, count // 2, count - 1]
    column = st.integers(0, count - 1) | st.sampled_from([each for each in borders if each < count])
    rows = data.draw(st.lists(st.tuples(st.sampled_from("ab"), column, st.booleans()), min_size=1, max_size=30))
    made = "(SELECT arrayJoin({rows:Array(Tuple(String, UInt16, Bool))}) AS row, row.1 AS actor, row.2 AS position)"
    seen, some = Positions("seen", count), Positions("some", count)
    each = f"SELECT actor, row.3 AS side, {seen.gathered()}, {some.gathered('row.3')} FROM {made} GROUP BY actor, side"
    merged = f"SELECT actor, {seen.merged('r')}, {some.merged('r')} FROM ({each}) AS r GROUP BY actor"
    gaps = f"arrayFilter(p -> p < {count}, {seen.gaps})"
    arrays = [seen.listed, some.listed, seen.after_another, seen.after_a_gap, gaps]
    sorted_ = [f"arraySort(arrayMap(p -> toInt64(p), {array}))" for array in arrays]
    since = seen.since("at")
    after = f"arrayMap(at -> (at, bitPositionsToArray(toUInt64({since}))), {seen.listed})" if since else "[]"
    sql = f"SELECT actor, {', '.join(sorted_)}, {seen.size}, {some.some}, {after} FROM ({merged})"
    found = {actor: what for actor, *what in (await warehouse.query(Statement(sql, {"rows": rows}))).rows}

    columns: dict[str, set[int]] = defaultdict(set)
    marked: dict[str, set[int]] = defaultdict(set)
    for actor, position, mark in rows:
        columns[actor].add(position)
        if mark:
            marked[actor].add(position)
    followed = {actor: sorted(what.pop()) for actor, what in found.items()}
    if count <= 2_048:
        assert followed == {
            actor: [[at, [each - at for each in sorted(theirs) if 0 <= each - at < 64]] for at in sorted(theirs)]
            for actor, theirs in columns.items()
        }
    assert found == {
        actor: [
            sorted(theirs),
            sorted(marked[actor]),
            sorted(each for each in theirs if each - 1 in theirs),
            sorted(each for each in theirs if each - 1 not in theirs),
            sorted(each + 1 for each in theirs if each + 1 not in theirs and each + 1 < count),
            len(theirs),
            bool(marked[actor]),
        ]
        for actor, theirs in columns.items()
    }
