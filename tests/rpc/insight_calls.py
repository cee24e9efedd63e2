"""Events to ask about, and the parts of questions about them."""

import json

from google.protobuf.struct_pb2 import Struct, Value

from burgee.v1 import capture_pb2, common_pb2, profiles_pb2, trend_pb2

MIDNIGHT = 1_772_323_200  # 2026-03-01 00:00 UTC
SPAN = common_pb2.TimeRange(start="2026-03-01", end="2026-03-04")


def event(name, user, company, hour, **properties):
    """An event some hours after midnight of 2026-03-01."""
    return capture_pb2.Event(
        event=name,
        distinct_id=user,
        groups={"company": company},
        properties_json=json.dumps(properties),
        timestamp_micros=round((MIDNIGHT + hour * 3600) * 1_000_000),
    )


def condition(attribute, operator, *values):
    """A filter of one condition."""
    number = common_pb2.Operator.Value(f"OPERATOR_{operator.upper()}")
    texts = [Value(string_value=v) if isinstance(v, str) else Value(number_value=v) for v in values]
    return common_pb2.Filter(condition=common_pb2.Condition(attribute=attribute, operator=number, values=texts))


async def use(admin, loaded):
    """Three companies, four people, three days."""
    for company, plan in (("acme", "pro"), ("bolt", "free"), ("coil", "free")):
        properties = Struct()
        properties.update({"plan": plan})
        await admin.profiles.IdentifyGroup(
            profiles_pb2.IdentifyGroupRequest(group_type="company", group_key=company, change={"set": properties})
        )
    await admin.send(
        event("opened", "ann", "acme", 1, pages=10),
        event("opened", "ann", "acme", 2, pages=20),
        event("saved", "ann", "acme", 3),
        event("opened", "bob", "acme", 25, pages=60),
        event("opened", "cid", "bolt", 26, pages="many"),
        event("saved", "cid", "bolt", 27),
        event("opened", "dee", "coil", 50),
    )
    await loaded()
    return admin.insights


async def trend(insights, **fields):
    """One series of "opened"."""
    series = {"event": "opened", **fields.pop("series", {})}
    fields.setdefault("range", SPAN)
    return await insights.QueryTrend(trend_pb2.QueryTrendRequest(series=[series], **fields))
