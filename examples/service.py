"""A service: checks a flag and captures an event on each request, without ever waiting for Burgee to take it.

Run it against `burgee serve`: BURGEE_API_KEY=$(cat burgee-data/api-key) python examples/service.py
"""

import burgee

with burgee.Client("localhost:4750") as client:
    client.group("company", "acme", {"name": "Acme", "plan": "business", "seats": 40})
    client.identify("ann", {"role": "admin"})

    # In a request handler: False if the flag does not exist, or the server does not answer within a second.
    if client.is_enabled("new-reports", "ann", company="acme"):
        template = client.value("report-template", "ann", "blank", company="acme")
        client.capture("report_created", "ann", {"pages": 3, "template": template}, company="acme")
    else:
        client.capture("report_created", "ann", {"pages": 1}, company="acme")

    # Why did ann get that? Every rule, the bucket and the threshold, in one sentence.
    print(client.explain("new-reports", "ann", company="acme").summary)
    print("all acknowledged:", client.flush(), client.stats)
