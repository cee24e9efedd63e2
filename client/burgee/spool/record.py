"""A parcel as it lies in a spool file: a header of 12 bytes, then the request as it goes over the wire.

1 byte   state: `w`, waiting to be sent, or `s`, settled: the one byte that is ever written again
4 bytes  CRC-32 of all that follows
1 byte   kind, 2 bytes how many events, 4 bytes length of the request, little-endian all of them
"""

import os
from dataclasses import dataclass
from struct import Struct
from zlib import crc32

from google.protobuf.message import DecodeError

from burgee.parcel import Kind, Parcel, unpack

SETTLED = b"s"

_WAITING = b"w"
_HEADER = Struct("<cI")
_COVERED = Struct("<BHI")
_SIZE = _HEADER.size + _COVERED.size


class Damaged(Exception):
    """What is there cannot have been written so, or not to its end."""


@dataclass(frozen=True, slots=True)
class Record:
    """A parcel in a file, and where the next one begins."""

    parcel: Parcel
    settled: bool
    end: int


def encode(parcel: Parcel) -> bytes:
    """The record of a parcel that waits."""
    covered = _COVERED.pack(parcel.kind, parcel.count, len(parcel.request)) + parcel.request
    return _HEADER.pack(_WAITING, crc32(covered)) + covered


def read(descriptor: int, at: int, end: int) -> Record:
    """The record that begins there, in a file that goes on to `end`. Raises Damaged, OSError."""
    head = os.pread(descriptor, _SIZE, at)
    if len(head) < _SIZE:
        raise Damaged
    state, checksum = _HEADER.unpack_from(head)
    kind, count, length = _COVERED.unpack_from(head, _HEADER.size)
    if state not in (_WAITING, SETTLED) or length > end - at - _SIZE:
        raise Damaged
    request = os.pread(descriptor, length, at + _SIZE)
    if crc32(request, crc32(head[_HEADER.size :])) != checksum:
        raise Damaged
    try:
        return Record(unpack(Kind(kind), count, request), state == SETTLED, at + _SIZE + length)
    except (ValueError, DecodeError) as error:
        raise Damaged from error
