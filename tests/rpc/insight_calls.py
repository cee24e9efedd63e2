"""Events to ask about, and the parts of questions about them."""

import json

from google.protobuf.struct_pb2 import Value

from burgee.v1 import capture_pb2, common_pb2

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
