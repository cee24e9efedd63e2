"""Messages that no decent client sends: hostile values in every field, and bytes changed afterwards."""

import random
import time
from collections.abc import Sequence

from burgee.v1 import capture_pb2, profiles_pb2

NAMES: Sequence[str] = (
    *("ann", "acme", "company", "report_created", "größe", "日本", "🦄" * 50, "a'b\"c`d\\e", "{p:String}", "%s"),
    *("$identify", "null", "x" * 200, "é" * 200, "\u202eevil", "\ufeffann", "'; DROP TABLE events --"),
)
"""Texts that are names."""

TEXTS: Sequence[str] = (
    *NAMES,
    *("", " ", "\t", "a\x00b", "\x1b[0m", "a\nb", "\ufffe", "a.b", ".", "user", "event"),
    *("x" * 201, "é" * 201, "x" * 100_000),
)

SCALARS: Sequence[str] = (
    *("0", "-0", "1", "-1", "1.5", "-0.0", "1e308", "1e-400", "4.9e-324", "0.1e1", "1e00001", "0e999999999"),
    *("9007199254740993", "9223372036854775807", "-9223372036854775809", "18446744073709551616"),
    *("1" * 300, "0." + "3" * 400, "true", "false", "null"),
    *('""', '"x"', '"2026-01-01"', '"2026-01-01T12:00:00Z"', '"5"', '"\\u0000"', '"a\\nb"', '"\\ud83e\\udd84"'),
    '"' + "y" * 60_000 + '"',
)
"""JSON that is right."""

BROKEN: Sequence[str] = (
    *("NaN", "Infinity", "-Infinity", "+1", "01", ".5", "5.", "0x1", "1_000", "1e309", "-1e400", "1E+0400"),
    *('"\\ud800"', '"\\udc00\\ud800"', '"\\x"', '"\\u12"', '"a\nb"', '"', "tru", "", "{", "]", "{]"),
    '"' + "y" * 70_000 + '"',
)
"""JSON that is not."""

KEYS: Sequence[str] = (
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
    "é",
    "k" * 1_000,
    "$x",
    "\\ud83e",
)


def json_text(chance: random.Random, depth: int) -> str:
    """A JSON value, mostly."""
    kind = chance.random()
    if kind < 0.01:
        return chance.choice(BROKEN)
    if kind < 0.7 or depth > 5:
        return chance.choice(SCALARS)
    if kind < 0.85:
        return "[" + ",".join(json_text(chance, depth + 1) for _ in range(chance.randrange(4))) + "]"
    return json_object(chance, depth)


def json_object(chance: random.Random, depth: int = 0) -> str:
    """A JSON object, mostly; sometimes very deep or with very many keys."""
    kind = chance.random()
    if kind < 0.01:
        levels = chance.choice((20, 31, 32, 100, 1_000, 5_000))
        opening, closing = chance.choice((("[", "]"), ('{"a":', "}")))
        return '{"deep":' + opening * levels + "1" + closing * levels + "}"
    if kind < 0.02:
        return "{" + ",".join(f'"k{number}":{number}' for number in range(chance.choice((50, 300)))) + "}"
    pairs = (f'"{chance.choice(KEYS)}":{json_text(chance, depth + 1)}' for _ in range(chance.randrange(5)))
    return "{" + ",".join(pairs) + "}" + (chance.choice((" ", "\n", ",", "{}")) if chance.random() < 0.05 else "")


def name(chance: random.Random) -> str:
    """A name, mostly."""
    return chance.choice(NAMES if chance.random() < 0.95 else TEXTS)


def moment(chance: random.Random) -> int:
    """Microseconds: in the last weeks, seldom in the last years, at one of the bounds, or beyond.

    An insert writes a part for each month that it has events of, with a column for each property of any of them: of
    hostile events from 34 months, five times the work that those of two are.
    """
    now, day = time.time_ns() // 1_000, 86_400 * 1_000_000
    kind = chance.random()
    if kind < 0.9:
        return chance.choice((0, now, now - chance.randrange(30) * day))
    if kind < 0.905:
        return now - chance.randrange(1_000) * day
    return chance.choice((1, -1, now + day - 60_000_000, now + day + 60_000_000, 2**63 - 1, -(2**63)))


def event(chance: random.Random) -> capture_pb2.Event:
    """Mostly good, so that something gets through."""
    digits = f"{chance.getrandbits(128):032x}"
    if chance.random() < 0.05:
        digits = "no-uuid"
    made = capture_pb2.Event(
        uuid=chance.choice(("", "", digits, digits.upper(), f"{{{digits}}}", digits)),
        event="seen" if chance.random() < 0.5 else name(chance),
        distinct_id=f"user-{chance.randrange(100)}" if chance.random() < 0.5 else name(chance),
        properties_json="" if chance.random() < 0.2 else json_object(chance),
        timestamp_micros=moment(chance),
    )
    for _ in range(chance.choice((0, 0, 0, 1, 2, 2, 101))):
        made.groups[chance.choice(("company", "team", *NAMES))] = name(chance)
    return made


def capture(chance: random.Random) -> bytes:
    """A CaptureRequest."""
    request = capture_pb2.CaptureRequest(events=[event(chance) for _ in range(chance.choice((0, 1, 1, 2, 5)))])
    request.batch_id = chance.choice(("", f"batch-{chance.getrandbits(64)}", f"batch-{chance.getrandbits(64)}"))
    if chance.random() < 0.05:
        request.batch_id = chance.choice(TEXTS)
    return request.SerializeToString()


def change(chance: random.Random, made: profiles_pb2.PropertyChange) -> None:
    """Fill in a change with values of any shape, some of them nested deeper than protobuf reads."""
    made.unset.extend(name(chance) for _ in range(chance.randrange(3)))
    for struct in (made.set, made.set_once):
        for _ in range(chance.randrange(4)):
            value = struct.fields[name(chance)]
            for _ in range(chance.choice((0, 0, 0, 0, 1, 3, 40))):
                value = value.list_value.values.add() if chance.random() < 0.5 else value.struct_value.fields["in"]
            match chance.randrange(5):
                case 0:
                    numbers = (0.0, -0.0, 1e308, 5e-324, 2.0**64, float("nan"), float("inf"))
                    value.number_value = chance.choice(numbers if chance.random() < 0.1 else numbers[:5])
                case 1:
                    value.string_value = name(chance)
                case 2:
                    value.bool_value = True
                case 3:
                    value.null_value = 0  # type: ignore[assignment]


def person(chance: random.Random) -> bytes:
    """An IdentifyPersonRequest."""
    request = profiles_pb2.IdentifyPersonRequest(distinct_id=name(chance))
    change(chance, request.change)
    return request.SerializeToString()


def group(chance: random.Random) -> bytes:
    """An IdentifyGroupRequest."""
    request = profiles_pb2.IdentifyGroupRequest(group_type=chance.choice(("company", name(chance))))
    request.group_key = name(chance)
    change(chance, request.change)
    return request.SerializeToString()


CAPTURE = "/burgee.v1.CaptureService/Capture"
MESSAGES = {
    CAPTURE: capture,
    "/burgee.v1.ProfileService/IdentifyPerson": person,
    "/burgee.v1.ProfileService/IdentifyGroup": group,
}


def message(chance: random.Random) -> tuple[str, bytes]:
    """A method and the bytes of its request, one in three changed at random.

    Two of nine are changes of profiles: one that is accepted is as much work for the server as ten Captures.
    """
    method = chance.choice((*[CAPTURE] * 6, *MESSAGES))
    raw = MESSAGES[method](chance)
    return method, spoil(chance, raw) if chance.random() < 0.33 else raw


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
