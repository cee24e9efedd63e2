"""Between protobuf and the core's model: the only translator, on the server and in the client.

What comes from the wire may be anything: WireError names the field at fault. What comes from the core is trusted,
except for properties, which callers hand in.
"""

from burgee.wire.checks import (
    context_from_proto,
    context_to_proto,
    explanation_to_proto,
    resolution_from_proto,
    resolution_to_proto,
)
from burgee.wire.filters import filter_from_proto, filter_to_proto
from burgee.wire.flags import condition_from_proto, condition_to_proto, flag_from_proto, flag_to_proto
from burgee.wire.values import WireError, properties_from_struct, properties_to_struct, value_from_proto, value_to_proto

__all__ = [
    "WireError",
    "condition_from_proto",
    "condition_to_proto",
    "context_from_proto",
    "context_to_proto",
    "explanation_to_proto",
    "filter_from_proto",
    "filter_to_proto",
    "flag_from_proto",
    "flag_to_proto",
    "properties_from_struct",
    "properties_to_struct",
    "resolution_from_proto",
    "resolution_to_proto",
    "value_from_proto",
    "value_to_proto",
]
