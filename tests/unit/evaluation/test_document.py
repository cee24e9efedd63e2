"""Documents: a flag written down and read again is the same flag, and misspelt names are found."""

import json

import pytest
from hypothesis import given

from burgee.evaluation import (
    DocumentError,
    Flag,
    Prerequisite,
    context_from_document,
    flag_from_document,
    flag_to_document,
)
from tests.unit.evaluation.strategies import flags


@given(flags(prerequisites=(Prerequisite("other", ("on", "off")),)))
def test_a_flag_survives_its_document(flag: Flag) -> None:
    """Through JSON text and back, nothing is lost."""
    text = json.dumps(flag_to_document(flag), allow_nan=False)
    assert flag_from_document(json.loads(text)) == flag


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ([], ""),
        ({"kye": "f"}, "kye"),
        ({"key": 5}, "key"),
        ({"enabled": "yes"}, "enabled"),
        ({"type": "bool"}, "type"),
        ({"version": 1.5}, "version"),
        ({"version": True}, "version"),
        ({"tags": "billing"}, "tags"),
        ({"tags": ["a", 1]}, "tags[1]"),
        ({"variants": [{"key": "on", "value": True}, {"name": "off"}]}, "variants[1].name"),
        ({"rules": {}}, "rules"),
        ({"rules": [{"conditions": [{"attribute": "a.b", "operator": "like"}]}]}, "rules[0].conditions[0].operator"),
        ({"rules": [{"conditions": [{"attribute": "a.b"}]}]}, "rules[0].conditions[0].operator"),
        ({"rules": [{"distribution": {"rollout": "5"}}]}, "rules[0].distribution.rollout"),
        ({"fallthrough": {"ramp": [{"at": "soon", "rollout": 5}]}}, "fallthrough.ramp[0].at"),
        ({"fallthrough": {"weights": [{"variant": "on", "share": 1}]}}, "fallthrough.weights[0].share"),
        ({"prerequisites": [None]}, "prerequisites[0]"),
    ],
)
def test_an_error_names_its_path(document: object, path: str) -> None:
    """Strict reading: unknown names and wrong types are refused where they stand."""
    with pytest.raises(DocumentError) as error:
        flag_from_document(document)
    assert error.value.path == path


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"user": "ann"}, "user"),
        ({"groups": {"company": 5}}, "groups.company"),
        ({"properties": {"x": float("nan")}}, "properties.x"),
        ({"group_properties": {"company": []}}, "group_properties.company"),
        ({"group_properties": {"company": {"x": [b""]}}}, "group_properties.company.x"),
    ],
)
def test_an_error_in_a_context_names_its_path(document: object, path: str) -> None:
    """Contexts are read as strictly as flags."""
    with pytest.raises(DocumentError) as error:
        context_from_document(document)
    assert error.value.path == path
