"""`burgee query funnel` and its relatives: one funnel, asked in several ways."""

from burgee_server.cli.query.funnel.counts import funnel

__all__ = ["funnel"]
