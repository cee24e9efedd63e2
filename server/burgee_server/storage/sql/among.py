"""Whether a column holds one of many texts, in SQL."""

import json
from collections.abc import Collection

from sqlalchemy import ARRAY, Column, ColumnElement, String, any_, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection


def among(connection: AsyncConnection, column: Column[str], texts: Collection[str]) -> ColumnElement[bool]:
    """Whether a column holds one of these. They are one value: thousands would take longer to bind than to find."""
    if connection.dialect.name == "postgresql":
        return column == any_(bindparam(None, list(texts), ARRAY(String)))
    each = func.json_each(json.dumps(list(texts))).table_valued("value")
    return column.in_(select(each.c.value))
