"""A service on asyncio: flags are in memory before it begins, and no request ever waits for Burgee.

Run it against `burgee serve`: BURGEE_API_KEY=$(cat burgee-data/api-key) python examples/async_service.py
"""

import asyncio

import burgee


async def handle(client: burgee.AsyncClient, user: str, company: str) -> str:
    """One request. The check is answered from memory; what it gave is captured in the background, once in an hour."""
    if not await client.is_enabled("new-reports", user, company=company):
        return f"{user} of {company}: the old report"
    client.capture("report_created", user, {"pages": 3}, company=company)
    return f"{user} of {company}: the new report"


async def main() -> None:
    """Begin, serve, and leave nothing unsent."""
    async with burgee.AsyncClient("localhost:4750") as client:
        if not await client.ready(timeout=5.0):
            print("flags come later, so far the defaults hold:", client.flag_status.trouble)
        requests = [("ann", "acme"), ("bob", "globex"), ("cy", "initech")]
        print(*await asyncio.gather(*(handle(client, user, company) for user, company in requests)), sep="\n")
        print("all acknowledged:", await client.flush(), client.stats)


asyncio.run(main())
