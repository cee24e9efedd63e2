"""HTTP/2 in bytes, for callers that gRPC's own clients are not like."""

HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 1, 3, 4, 6, 7
END_HEADERS = 4
ACK = 1
REFUSED_STREAM = (7).to_bytes(4)
"""What a stream ends with that the server has not begun."""
HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, SETTINGS, 0, 0, 0, 0, 0))


def frame(kind, payload=b"", flags=0, stream=0):
    """A frame of HTTP/2; of the connection itself, unless it is of a stream."""
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def headers(number, method, secret="k", timeout="1H"):
    """The beginning of a call, whose message is still to come. HPACK's literals: its own names by their index."""
    fields = ((4, method), (1, "localhost"), (31, "application/grpc"), (23, f"Bearer {secret}"))
    block = b"\x83\x86" + b"".join(_literal(index, value.encode()) for index, value in fields)
    block += b"\x00\x02te\x08trailers\x00\x0cgrpc-timeout" + bytes([len(timeout)]) + timeout.encode()
    return frame(HEADERS, block, END_HEADERS, 2 * number + 1)


async def read_frame(reader):
    """Its kind and payload."""
    head = await reader.readexactly(9)
    return head[3], await reader.readexactly(int.from_bytes(head[:3]))


def read_frame_at_once(answers):
    """The same of a file, which holds up the event loop."""
    head = answers.read(9)
    return head[3], answers.read(int.from_bytes(head[:3]))


def _literal(index, value):
    """A header with the name of this index in HPACK's table."""
    name = bytes([index]) if index < 15 else bytes([15, index - 15])
    return name + bytes([len(value)]) + value
