"""A notebook: who uses the product, and how far new companies get.

Run it against `burgee serve`: BURGEE_API_KEY=$(cat burgee-data/api-key) python examples/notebook.py
"""

import burgee

with burgee.Client("localhost:4750") as client:
    # Companies that created a report, by week and plan; to_rows() is what a data frame takes.
    trend = client.trend(
        "report_created",
        measure="unique_groups",
        group_type="company",
        breakdown="company.plan",
        interval="week",
        start="-90d",
        where=burgee.any_of(burgee.where("company.plan", "is_not_set"), burgee.where("company.seats", "gte", 5)),
    )
    for row in trend.to_rows():
        print(f"{row['time']:%Y-%m-%d}  {row['part']:<12}  {row['value']:.0f}")

    # How many companies get from signing up to their first shared report, and where the others are lost.
    funnel = client.funnel(
        ["signed_up", burgee.Step("report_created", burgee.where("event.pages", "gt", 1)), "report_shared"],
        count_by="company",
        start="-90d",
    )
    for step in funnel.rows[0].steps if funnel.rows else ():
        print(f"{step.label:<16}  {step.count:>6}  {step.conversion_from_first:6.1%}")

    try:
        client.funnel(["only one step"])
    except burgee.QueryError as error:
        print(error.code, error.violations)
