"""What several nodes share in Redis: the journal, the change feed, the accounts of quotas."""
