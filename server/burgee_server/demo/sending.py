"""The world goes to the server through the client that everybody uses."""

import time

import burgee
from burgee_server.demo.world import World

_FLUSH_EVERY = 20_000
_PATIENCE_SECONDS = 60.0


class DemoFailed(Exception):
    """The server did not do what the demo shows. The message says what."""


def send_profiles(client: burgee.Client, world: World) -> int:
    """Every company and person; returns how many. Raises DemoFailed."""
    sent = 0
    for company in world.companies:
        client.group(
            "company",
            company.key,
            {
                "name": company.name,
                "plan": company.plan,
                "industry": company.industry,
                "region": company.region,
                "seats": company.seats,
                "signed_up_at": company.signed_up_at,
            },
        )
        sent += 1
        for person in company.people:
            client.identify(person.distinct_id, {"name": person.name, "role": person.role, "company": company.key})
            sent += 1
    _flush(client)
    return sent


def send_events(client: burgee.Client, world: World) -> int:
    """Every event; returns how many, when they can be queried. Raises DemoFailed."""
    sent = 0
    for happening in world.events():
        client.capture(
            happening.event,
            happening.distinct_id,
            happening.properties,
            company=happening.company_key,
            timestamp=happening.timestamp,
            uuid=happening.uuid,
        )
        sent += 1
        if sent % _FLUSH_EVERY == 0:  # sooner than the queue is full
            _flush(client)
    _flush(client)
    _wait_until_queryable(client, world, sent)
    return sent


def _flush(client: burgee.Client) -> None:
    if not client.flush(_PATIENCE_SECONDS):
        raise DemoFailed(f"not everything was acknowledged: {client.stats}")


def _wait_until_queryable(client: burgee.Client, world: World, sent: int) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        answer = client.trend(interval="month", start=world.start, end=world.end)
        found = int(sum(row.total for row in answer.rows))
        if found == sent:
            return
        if time.monotonic() > deadline:
            raise DemoFailed(f"{sent} events were acknowledged, {found} can be queried")
        time.sleep(0.2)
