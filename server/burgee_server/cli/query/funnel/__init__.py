"""`burgee query funnel` and its relatives: one funnel, asked about in several ways."""

from burgee_server.cli.query.funnel.comparison import compare
from burgee_server.cli.query.funnel.correlation import correlation
from burgee_server.cli.query.funnel.counts import funnel
from burgee_server.cli.query.funnel.over_time import over_time
from burgee_server.cli.query.funnel.people import people
from burgee_server.cli.query.funnel.times import times

funnels = (funnel, people, times, over_time, compare, correlation)

__all__ = ["funnels"]
