"""What several nodes share in Redis: the journal, the change feed, the accounts of quotas."""

from burgee_server.storage.redis.changes import RedisFeed
from burgee_server.storage.redis.connection import connect
from burgee_server.storage.redis.journal import RedisJournal
from burgee_server.storage.redis.quota import RedisQuota

__all__ = ["RedisFeed", "RedisJournal", "RedisQuota", "connect"]
