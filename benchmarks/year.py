"""A year of a product, event by event in the order of arrival, encoded as the journal keeps it.

Batch N of a year is always the same bytes. A Python object for each event would take longer than ClickHouse takes to
load it: 50,000 events are encoded once, and what differs is written over them.
"""

import json
import random
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from burgee_server.journal.v1.journal_pb2 import StoredBatch
from burgee_server.ports.warehouse import to_micros

BATCH = 50_000
"""Events of a batch: as many as the loader takes at a time."""
USERS = 200_000
COMPANIES = 5_000
TEAMS = 20_000
BEGIN = datetime(2025, 12, 1, tzinfo=UTC)
SPAN = timedelta(days=360)

_EVENTS = ("viewed", "viewed", "viewed", "edited", "exported", "invited")
_PLANS = ("free", "team", "pro")
_LATE_MICROS = 3_600_000_000
_VARINT_BYTES = 8
"""Of microseconds since 1970, in this century."""

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]


class Year:
    """`events` of 200,000 users in 5,000 companies and 20,000 teams, with five properties, spread over 360 days."""

    def __init__(self, events: int) -> None:
        self._events = events
        body, places = _template()
        self._body = np.frombuffer(body, np.uint8)
        self._places = {name: np.array(of, np.int64) for name, of in places.items()}

    def batch(self, number: int) -> bytes:
        """The serialized StoredBatch of this number, counted from 0."""
        chance = np.random.default_rng(number)
        body = self._body.copy()
        arrived = number * BATCH + np.arange(BATCH)
        micros = to_micros(BEGIN) + arrived * (SPAN // timedelta(microseconds=1) // self._events)
        happened = np.maximum(micros - chance.integers(0, _LATE_MICROS, BATCH), to_micros(BEGIN))
        users = chance.integers(0, USERS, BATCH)
        self._write(body, "uuid", _uuids(chance))
        self._write(body, "user", _digits(users, 6))
        self._write(body, "company", _digits(users % COMPANIES, 4))
        self._write(body, "team", _digits(users % TEAMS, 5))
        self._write(body, "timestamp", _varints(happened))
        self._write(body, "received", _varints(micros))
        return body.tobytes()

    def _write(self, body: Bytes, name: str, values: Bytes) -> None:
        body[self._places[name][:, None] + np.arange(values.shape[1])] = values


def _template() -> tuple[bytes, dict[str, list[int]]]:
    """50,000 encoded events, and where what differs between batches is in each."""
    chance = random.Random(1)
    made = bytearray()
    places: dict[str, list[int]] = {name: [] for name in ("uuid", "user", "company", "team", "timestamp", "received")}
    then = to_micros(BEGIN)
    for _ in range(BATCH):
        batch = StoredBatch()
        properties = {
            "plan": chance.choice(_PLANS),
            "amount": chance.randrange(997),
            "country": f"c{chance.randrange(150)}",
            "seconds": round(chance.random() * 900, 2),
            "beta": chance.random() < 0.1,
        }
        event = batch.events.add(
            uuid=b"U" * 36,
            event=chance.choice(_EVENTS).encode(),
            distinct_id=b"user-DDDDDD",
            properties_json=json.dumps(properties).encode(),
            timestamp_micros=then,
            environment_id=1,
            received_at_micros=then + 1,
        )
        event.groups.add(key=b"company", value=b"company-CCCC")
        event.groups.add(key=b"team", value=b"team-TTTTT")
        encoded = batch.SerializeToString()
        marks = {"uuid": b"UUUU", "user": b"DDDD", "company": b"CCCC", "team": b"TTTT"}
        marks |= {
            name: _varints(np.array([at])).tobytes() for name, at in (("timestamp", then), ("received", then + 1))
        }
        for name, mark in marks.items():
            places[name].append(len(made) + encoded.index(mark))
        made += encoded
    return bytes(made), places


def _uuids(chance: np.random.Generator) -> Bytes:
    """Random UUIDs, version 4, as text."""
    hexadecimal = np.frombuffer(b"0123456789abcdef", np.uint8)
    nibbles = chance.integers(0, 16, (BATCH, 32), np.uint8)
    nibbles[:, 12] = 4
    nibbles[:, 16] = 8 | nibbles[:, 16] & 3
    text = np.full((BATCH, 36), ord("-"), np.uint8)
    text[:, [at for at in range(36) if at not in (8, 13, 18, 23)]] = hexadecimal[nibbles]
    return text


def _digits(numbers: Numbers, width: int) -> Bytes:
    powers = 10 ** np.arange(width)[::-1]
    return (numbers[:, None] // powers % 10 + ord("0")).astype(np.uint8)


def _varints(numbers: Numbers) -> Bytes:
    parts = numbers[:, None] >> (7 * np.arange(_VARINT_BYTES)) & 0x7F
    parts[:, :-1] |= 0x80
    return parts.astype(np.uint8)
