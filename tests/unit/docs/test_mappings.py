"""The ready-made mappings of docs/import.md: each, on its sample, gives the events that stand below it."""

import io
import re
from pathlib import Path

import pyarrow as pa
import pytest

from burgee_server.cli.exports.ndjson import NdjsonWriter
from burgee_server.cli.imports.mapping import read_mapping
from tests.unit.docs.pages import page
from tests.unit.imports.files import batches, write, write_parquet

_EXAMPLE = re.compile(
    r"^### ([^\n]+)\n.*?^```toml\n(.*?)^```\n\n```(ndjson|csv)\n(.*?)^```\n\n```json\n(.*?)^```$", re.M | re.S
)
EXAMPLES = _EXAMPLE.findall(page("import"))


@pytest.mark.parametrize(
    ("toml", "kind", "sample", "expected"), [each[1:] for each in EXAMPLES], ids=[each[0] for each in EXAMPLES]
)
def test_an_example_of_a_mapping_gives_what_it_says(
    tmp_path: Path, toml: str, kind: str, sample: str, expected: str
) -> None:
    """As `burgee export` would write it."""
    mapping = read_mapping(write(tmp_path / "m.toml", toml))
    written = io.BytesIO()
    for batch in batches(write(tmp_path / f"sample.{kind}", sample), mapping):
        assert batch.rejected == []
        NdjsonWriter(written).write(batch.request.events)
    assert written.getvalue().decode() == expected


def test_there_are_examples_to_run() -> None:
    """A changed fence would otherwise turn every test of them off."""
    assert len(EXAMPLES) >= 4


def test_the_example_for_posthog_reads_its_parquet_too(tmp_path: Path) -> None:
    """There properties are text, and times are times."""
    [toml] = [each[1] for each in EXAMPLES if each[0] == "PostHog"]
    columns = {
        "uuid": ["018f3c1e-0000-7000-8000-000000000001"],
        "event": ["report created"],
        "distinct_id": ["ann"],
        "person_id": ["p"],
        "properties": ['{"pages": 3, "$lib": "web", "$groups": {"company": "acme"}}'],
        "timestamp": pa.array([1_772_366_400_250_000], pa.timestamp("us", "UTC")),
    }
    [batch] = batches(write_parquet(tmp_path / "e.parquet", columns), read_mapping(write(tmp_path / "m.toml", toml)))
    [event] = batch.request.events
    assert (event.uuid, event.timestamp_micros) == (columns["uuid"][0], 1_772_366_400_250_000)
    assert (dict(event.groups), event.properties_json) == ({"company": "acme"}, '{"pages":3}')
