"""Mapping files: what they make of records, and what is said of those that are wrong."""

import json

import pytest

from burgee_server.cli.imports.mapping import BadMapping, mapping_of, read_mapping
from tests.unit.imports.files import events, faults, write

LEAST = {"event": "event", "distinct_id": "who", "timestamp": "at"}


def event_of(tmp_path, record, **more):
    """The event of a record by the least mapping and more."""
    path = write(tmp_path / "e.ndjson", json.dumps({"event": "e", "who": "ann", "at": 1} | record))
    [event] = events(path, mapping_of(LEAST | more))
    return event


def properties(tmp_path, record, **mapping):
    """The properties of a record."""
    return event_of(tmp_path, record, properties=mapping).properties_json


@pytest.mark.parametrize(
    ("origin", "found"),
    [
        ("user", "u"),
        ({"column": "user"}, "u"),
        ({"first_of": ["missing", "empty", "null", "user", "who"]}, "u"),
        ({"constant": "everybody"}, "everybody"),
        ("nested.user.id", "7"),
        ("text.user", "t"),
        ("dotted.user", "d"),
        ("nested.user.plan.name", ""),
        ("number", "42"),
        ("whole", "42"),
        ("fraction", "1.5"),
    ],
)
def test_a_text_comes_from_a_column_a_path_the_first_that_is_there_or_is_constant(tmp_path, origin, found):
    """Numbers are written as people write them; what is not there is empty, which the server rejects."""
    record = {
        "user": "u",
        "empty": "",
        "null": None,
        "nested": {"user": {"id": 7, "name": "x"}},
        "text": '{"user": "t"}',
        "dotted.user": "d",
        "dotted": {"user": "not this"},
        "number": 42,
        "whole": 42.0,
        "fraction": 1.5,
    }
    assert event_of(tmp_path, record, distinct_id=origin).distinct_id == found


def test_a_uuid_is_made_of_columns_that_are_never_the_same_twice(tmp_path):
    """Whatever else is in the record, and wherever it stands."""
    made_of = {"made_of": ["order", "line"]}
    first = event_of(tmp_path, {"order": 1, "line": 2, "x": 1}, uuid=made_of).uuid
    again = event_of(tmp_path, {"x": 2, "line": "2", "order": "1"}, uuid=made_of).uuid
    other = event_of(tmp_path, {"order": 12, "line": ""}, uuid=made_of).uuid
    assert first == again != other


def test_groups_come_from_an_object_and_from_columns(tmp_path):
    """Columns win; what is empty is no group."""
    record = {"groups": {"company": "a", "team": 7, "unit": None, "site": ""}, "account": "b", "none": ""}
    groups = {"object": "groups", "columns": {"company": "account", "region": "none"}}
    assert dict(event_of(tmp_path, record, groups=groups).groups) == {"company": "b", "team": "7"}


def test_properties_come_from_an_object_from_columns_and_from_the_rest(tmp_path):
    """Columns win over the object, the object over the rest, and what is dropped is in none of them."""
    record = {
        "object": {"a": 1, "b": "", "n": None, "x": 1, "secret": 1},
        "a": 2,
        "c": 3,
        "d": "",
        "secret": 2,
        "b2": 4,
    }
    mapping = {"object": "object", "columns": {"x": "b2", "k": {"constant": True}}, "rest": True, "drop": ["secret"]}
    assert json.loads(properties(tmp_path, record, **mapping)) == {
        "a": 1, "b": "", "n": None, "x": 4, "k": True, "c": 3,
    }  # fmt: skip
    assert properties(tmp_path, record) == ""
    assert properties(tmp_path, {"object": None}, object="object") == ""
    assert properties(tmp_path, {"object": '{ "a": 1.0 }'}, object="object") == '{ "a": 1.0 }'


@pytest.mark.parametrize(
    ("type_", "value", "written"),
    [
        ("text", 7, '"7"'),
        ("text", "7", '"7"'),
        ("number", " 1.50 ", "1.50"),
        ("number", "1e3", "1000"),
        ("number", "007", "7"),
        ("number", 7, "7"),
        ("boolean", "TRUE", "true"),
        ("boolean", "0", "false"),
        ("boolean", True, "true"),
        ("json", '{"a": [1]}', '{"a":[1]}'),
        ("json", [1], "[1]"),
        (None, "7", '"7"'),
    ],
)
def test_a_property_is_read_as_the_type_that_was_said(tmp_path, type_, value, written):
    """Text stays text unless something else is said."""
    column = {"column": "p"} | ({"type": type_} if type_ else {})
    assert properties(tmp_path, {"p": value}, columns={"p": column}) == f'{{"p":{written}}}'


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("number", "many"),
        ("number", "NaN"),
        ("number", "1,5"),
        ("number", "1e999999999"),
        ("boolean", "perhaps"),
        ("json", "{"),
    ],
)
def test_a_value_that_is_not_of_its_type_is_rejected_by_its_column(tmp_path, type_, value):
    """With what it was."""
    path = write(tmp_path / "e.ndjson", json.dumps({"event": "e", "who": "ann", "at": 1, "p": value}))
    mapping = mapping_of(LEAST | {"properties": {"columns": {"q": {"column": "p", "type": type_}}}})
    assert faults(path, mapping) == [(1, "p", f"must be a {type_}, got {value!r}")]


@pytest.mark.parametrize(
    ("record", "more", "field"),
    [
        ({"who": ["ann"]}, {}, "distinct_id"),
        ({"event": True}, {}, "event"),
        ({"o": "no json"}, {"properties": {"object": "o", "drop": ["x"]}}, "o"),
        ({"o": [1]}, {"properties": {"object": "o"}}, "o"),
        ({"o": "[1]"}, {"groups": {"columns": {"company": "o.company"}}}, "o"),
        ({"o": 7}, {"groups": {"object": "o"}}, "o"),
        ({"o": {"user": "x"}}, {"distinct_id": "o.user.id"}, "user"),
        ({"o": {"company": {"key": "acme"}}}, {"groups": {"object": "o"}}, "groups[company]"),
    ],
)
def test_a_value_that_cannot_be_what_the_mapping_says_is_rejected(tmp_path, record, more, field):
    """By its column, or by what it should have been."""
    path = write(tmp_path / "e.ndjson", json.dumps({"event": "e", "who": "ann", "at": 1} | record))
    [(_, found, _)] = faults(path, mapping_of(LEAST | more))
    assert found == field


def test_only_and_skip_choose_records(tmp_path):
    """Every `only` must hold and no `skip`; a value that is missing is an empty text."""
    records = [
        {"type": type_, "state": state, "event": f"{type_}-{state}", "who": "ann", "at": 1}
        for type_ in ("track", "page", None)
        for state in (1, 2, None)
    ]
    path = write(tmp_path / "e.ndjson", "\n".join(map(json.dumps, records)))

    def chosen(**conditions):
        return [event.event for event in events(path, mapping_of(LEAST | conditions))]

    track = [{"column": "type", "values": ["track"]}]
    assert chosen(only=track) == ["track-1", "track-2", "track-None"]
    assert chosen(only=track, skip=[{"column": "state", "values": ["1", ""]}]) == ["track-2"]
    assert chosen(skip=[{"column": "type", "values": ["track", "page"]}, {"column": "state", "values": [""]}]) == [
        "None-1",
        "None-2",
    ]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"evnt": "x"}, "there is no key 'evnt'; there are: event, distinct_id, timestamp, uuid, groups, "),
        ({"event": 7}, "event: Expected `str | object`, got `int`"),
        ({"timestamp": {"column": "at", "unit": "seconds"}}, "timestamp: there is no key 'unit'; there are: column, "),
        ({"timestamp": {"column": "at", "format": "hours"}}, "timestamp.format: must be seconds, "),
        ({"timestamp": {"column": "at", "time_zone": "Mars"}}, "timestamp.time_zone: there is no time zone 'Mars'"),
        ({"timestamp": {"format": "seconds"}}, "timestamp: Object missing required field `column`"),
        ({"event": {}}, "event: must have one of column, first_of and constant"),
        ({"distinct_id": {"column": "a", "constant": "b"}}, "distinct_id: must have one of"),
        ({"uuid": {"made_of": []}}, "uuid.made_of: must name a column"),
        ({"groups": {"company": "x"}}, "groups: there is no key 'company'; there are: columns, object"),
        ({"skip": [{"columns": "a"}]}, "skip[0]: there is no key 'columns'; there are: column, values"),
        ({"properties": {"columns": {"p": {"unit": "s"}}}}, "properties.columns"),
        ({"groups": {"columns": {"a.b": "x"}}}, "groups.columns.a.b: the group type must not hold a dot"),
        ({"groups": {"columns": {":`a`": "x"}}}, "groups.columns.:`a`: the group type must not begin with :`"),
        ({"groups": {"columns": {"user": "x"}}}, "groups.columns.user: the group type must not be 'user'"),
        ({"properties": {"columns": {"p": {"type": "number"}}}}, "properties.columns.p: must have one of"),
        ({"properties": {"columns": {"p": {"column": "p", "type": "int"}}}}, "properties.columns"),
        ({"properties": {"columns": {"": "p"}}}, "properties.columns.: the name must not be empty"),
        ({"properties": {"rest": "yes"}}, "properties.rest: Expected `bool`, got `str`"),
        ({"skip": [{"column": "a"}]}, "skip[0]: Object missing required field `values`"),
        ({"csv": {"delimiter": ";;"}}, "csv.delimiter: must be one character"),
    ],
)
def test_a_mapping_that_is_wrong_is_told_by_its_key(more, message):
    """Before anything is read."""
    with pytest.raises(BadMapping) as caught:
        mapping_of(LEAST | more)
    assert str(caught.value).startswith(message)


def test_a_file_that_is_not_toml_says_where(tmp_path):
    """By line and column; and what has to be there has to be there."""
    with pytest.raises(BadMapping, match=r"it is not TOML: .* line 2"):
        read_mapping(write(tmp_path / "m.toml", 'event = "e"\ndistinct_id = who\n'))
    with pytest.raises(BadMapping, match="is not TOML"):
        read_mapping(write(tmp_path / "m.toml", b'event = "\xff"'))
    with pytest.raises(BadMapping, match="missing required field `distinct_id`"):
        read_mapping(write(tmp_path / "m.toml", 'event = "e"'))
