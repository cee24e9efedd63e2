"""The warehouse in ClickHouse: embedded (chDB) or a server, by the same client and the same SQL."""

from burgee_server.storage.clickhouse.warehouse import ClickHouseWarehouse

__all__ = ["ClickHouseWarehouse"]
