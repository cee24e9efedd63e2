"""Messages that no decent client sends: hostile values in every field, and bytes changed afterwards."""

import random
import time
from collections.abc import Sequence

from burgee.v1 import capture_pb2, profiles_pb2

TEXTS: Sequence[str] = (
    *(
        "ann",
        "acme",
        "company",
        "report_created",
        "größe",
        "日本",
        "🦄" * 50,
        "a'b\"c`d\\e",
        "${x}",
        "{p:String}",
        "%s",
    ),
    *("", " ", "\t", "a\x00b", "\x1b[0m", "\u202eevil", "a.b", ".", "user", "event", "$identify", "null", "x" * 200),
    *(
        "x" * 201,
        "é" * 200,
        "é" * 201,
        "x" * 100_000,
        "\ufeffann",
        "\ud7ff",
        "\ufffe",
        "a\nb",
        "'; DROP TABLE events --",
    ),
)
NUMBERS: Sequence[str] = (
    *(
        "0",
        "-0",
        "1",
        "-1",
        "1.5",
        "-0.0",
        "1e308",
        "1e-400",
        "4.9e-324",
        "1e309",
        "-1e400",
        "1E+0400",
        "0.1e1",
        "1e00001",
    ),
    *(
        "9007199254740993",
        "9223372036854775807",
        "-9223372036854775809",
        "18446744073709551616",
        "1" * 400,
        "0." + "3" * 400,
    ),
    *("NaN", "Infinity", "-Infinity", "+1", "01", ".5", "5.", "0x1", "1_000"),
)
STRINGS: Sequence[str] = (
    *('""', '"x"', '"2026-01-01"', '"2026-01-01T12:00:00Z"', '"5"', '"\\u0000"', '"\\ud800"', '"\\udc00\\ud800"'),
    *(
        '"\\ud83e\\udd84"',
        '"\\x"',
        '"\\u12"',
        '"a\nb"',
        '"a\\nb"',
        '"' + "y" * 60_000 + '"',
        '"' + "y" * 70_000 + '"',
        '"',
    ),
)
NAMES: Sequence[str] = (
    "a",
    "b",
    "a.b",
    "a..b",
    ".",
    "",
    " ",
    "plan",
    "a\\u0000",
    "`",
    "\\ud800",
    "é",
    "k" * 1_000,
    "$x",
)


def json_text(chance: random.Random, depth: int = 0) -> str:
    """A JSON value, mostly."""
    kind = chance.random()
    if kind < 0.3 or depth > 5:
        return chance.choice(NUMBERS)
    if kind < 0.6:
        return chance.choice(STRINGS)
    if kind < 0.7:
        return chance.choice(("true", "false", "null", "tru", ""))
    if kind < 0.8:
        return "[" + ",".join(json_text(chance, depth + 1) for _ in range(chance.randrange(4))) + "]"
    return json_object(chance, depth)


def json_object(chance: random.Random, depth: int = 0) -> str:
    """A JSON object, mostly; sometimes very deep or with very many keys."""
    if chance.random() < 0.02:
        levels = chance.choice((20, 100, 500, 1_000, 5_000))
        opening, closing = chance.choice((("[", "]"), ('{"a":', "}")))
        return '{"deep":' + opening * levels + "1" + closing * levels + "}"
    if chance.random() < 0.02:
        return "{" + ",".join(f'"k{number}":{number}' for number in range(chance.choice((50, 1_100, 3_000)))) + "}"
    pairs = (f'"{chance.choice(NAMES)}":{json_text(chance, depth + 1)}' for _ in range(chance.randrange(5)))
    return "{" + ",".join(pairs) + "}" + chance.choice(("", "", "", " ", "\n", ",", "{}"))


def moment(chance: random.Random) -> int:
    """Microseconds: now, at one of the bounds, or anywhere."""
    now = time.time_ns() // 1_000
    day = 86_400 * 1_000_000
    bounds = (0, 1, -1, now, now + day - 1_000_000, now + day + 60_000_000, 2**63 - 1, -(2**63), 4_102_444_800_000_000)
    return chance.choice((now, now - chance.randrange(3_000) * day, *bounds))


def event(chance: random.Random) -> capture_pb2.Event:
    """Mostly good, so that something gets through."""
    good = chance.random() < 0.5
    made = capture_pb2.Event(
        uuid=chance.choice(("", "", f"{chance.getrandbits(128):032x}", "no-uuid", "{" + "0" * 32 + "}", "x" * 1_000)),
        event="seen" if good else chance.choice(TEXTS),
        distinct_id=f"user-{chance.randrange(100)}" if good else chance.choice(TEXTS),
        properties_json="" if chance.random() < 0.2 else json_object(chance),
        timestamp_micros=moment(chance),
    )
    for _ in range(chance.choice((0, 0, 1, 2, 101))):
        made.groups[chance.choice(("company", "team", *TEXTS[:15]))] = chance.choice(TEXTS)
    return made


def capture(chance: random.Random) -> bytes:
    """A CaptureRequest."""
    request = capture_pb2.CaptureRequest(events=[event(chance) for _ in range(chance.choice((0, 1, 1, 2, 5)))])
    request.batch_id = chance.choice(("", "", f"batch-{chance.randrange(10**9)}", *TEXTS))
    return request.SerializeToString()


def change(chance: random.Random) -> profiles_pb2.PropertyChange:
    """A PropertyChange with a Struct of any shape."""
    made = profiles_pb2.PropertyChange(unset=[chance.choice(TEXTS) for _ in range(chance.randrange(3))])
    for struct in (made.set, made.set_once):
        for _ in range(chance.randrange(4)):
            value = struct.fields[chance.choice(TEXTS)]
            for _ in range(chance.choice((0, 0, 1, 3, 40))):
                value = value.list_value.values.add() if chance.random() < 0.5 else value.struct_value.fields["in"]
            kind = chance.choice(("number_value", "string_value", "bool_value", "null_value", ""))
            if kind == "number_value":
                value.number_value = chance.choice((0.0, -0.0, 1e308, 5e-324, float("nan"), float("inf"), 2.0**64))
            elif kind == "string_value":
                value.string_value = chance.choice(TEXTS)
            elif kind:
                setattr(value, kind, 0)
    return made


def person(chance: random.Random) -> bytes:
    """An IdentifyPersonRequest."""
    name = f"user-{chance.randrange(100)}" if chance.random() < 0.7 else chance.choice(TEXTS)
    return profiles_pb2.IdentifyPersonRequest(distinct_id=name, change=change(chance)).SerializeToString()


def group(chance: random.Random) -> bytes:
    """An IdentifyGroupRequest."""
    return profiles_pb2.IdentifyGroupRequest(
        group_type="company" if chance.random() < 0.7 else chance.choice(TEXTS),
        group_key=f"company-{chance.randrange(100)}" if chance.random() < 0.7 else chance.choice(TEXTS),
        change=change(chance),
    ).SerializeToString()


MESSAGES = {
    "/burgee.v1.CaptureService/Capture": capture,
    "/burgee.v1.ProfileService/IdentifyPerson": person,
    "/burgee.v1.ProfileService/IdentifyGroup": group,
}


def message(chance: random.Random) -> tuple[str, bytes]:
    """A method and the bytes of its request, half of the time changed at random."""
    method = chance.choice(("/burgee.v1.CaptureService/Capture", "/burgee.v1.CaptureService/Capture", *MESSAGES))
    raw = MESSAGES[method](chance)
    return method, spoil(chance, raw) if chance.random() < 0.5 else raw


def spoil(chance: random.Random, raw: bytes) -> bytes:
    """A few bytes changed, inserted, repeated, or cut out; or the end cut off."""
    changed = bytearray(raw)
    for _ in range(chance.choice((1, 1, 2, 8))):
        begin = chance.randint(0, len(changed))
        end = min(len(changed), begin + chance.choice((1, 1, 2, 10, 100)))
        match chance.randrange(7):
            case 0 if begin < end:
                changed[begin] ^= 1 << chance.randrange(8)
            case 1 if begin < end:
                changed[begin] = chance.choice((0, 0x7F, 0x80, 0xFF, 0xC0, 0xED, 0x0A, 0x0B, 0x0C))
            case 2:
                changed[begin:begin] = chance.randbytes(end - begin)
            case 3:
                changed[begin:begin] = changed[begin:end] * chance.choice((1, 2, 50))
            case 4:
                del changed[begin:end]
            case 5:
                del changed[begin:]
            case 6:
                changed[begin:begin] = b"\xff" * 9 + b"\x01"  # a varint as long as they get
    return bytes(changed[: 4 << 20])
