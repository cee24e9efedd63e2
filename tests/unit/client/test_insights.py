"""Questions as they leave and answers as they come."""

from datetime import UTC, date, datetime, timedelta
from math import isnan, nan
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2, status_pb2

from burgee import (
    Breakdown,
    Client,
    Feature,
    FeatureUsageQuery,
    Formula,
    Happening,
    Part,
    PathGroup,
    PathsQuery,
    QueryError,
    Series,
    Step,
    TrendQuery,
    all_of,
    any_of,
    not_,
    where,
)
from burgee.v1 import features_pb2, funnel_pb2, paths_pb2, trend_pb2
from tests.unit.client.fakes import Failure, Recorder

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def _asked(server: Recorder) -> dict[str, Any]:
    return MessageToDict(server.requests[-1])


def test_the_simplest_trend_is_an_event_name(client: Client, server: Recorder) -> None:
    """Everything else is left to the server's defaults."""
    client.trend("report_created")
    assert _asked(server) == {
        "series": [{"event": "report_created", "measure": "MEASURE_TOTAL"}],
        "range": {},
        "interval": "INTERVAL_DAY",
    }


def test_a_trend_asks_for_all_it_was_told(client: Client, server: Recorder) -> None:
    """Measure, group type, breakdown, time and filter reach the server."""
    client.trend(
        "report_created",
        measure="unique_groups",
        group_type="company",
        breakdown=Breakdown("company.plan", limit=5),
        interval="week",
        start=date(2026, 1, 1),
        end=datetime(2026, 3, 1, 12, tzinfo=UTC),
        time_zone="Europe/Berlin",
        where=where("company.plan", "in", ["pro", "team"]),
    )
    assert _asked(server) == {
        "series": [{"event": "report_created", "measure": "MEASURE_UNIQUE_GROUPS", "groupType": "company"}],
        "breakdown": {"attributes": ["company.plan"], "limit": 5},
        "interval": "INTERVAL_WEEK",
        "range": {"start": "2026-01-01", "end": "2026-03-01T12:00:00+00:00"},
        "timeZone": "Europe/Berlin",
        "filter": {"condition": {"attribute": "company.plan", "operator": "OPERATOR_IN", "values": ["pro", "team"]}},
    }


def test_a_trend_may_have_several_series(client: Client, server: Recorder) -> None:
    """Each with its own measure, property, filter and label."""
    client.trend([Series("a"), Series("b", "p95", "seconds", where=[where("user.role", "is_set")], label="slow b")])
    assert _asked(server)["series"] == [
        {"event": "a", "measure": "MEASURE_TOTAL"},
        {
            "event": "b",
            "measure": "MEASURE_P95",
            "property": "seconds",
            "label": "slow b",
            "filter": {"all": {"filters": [{"condition": {"attribute": "user.role", "operator": "OPERATOR_IS_SET"}}]}},
        },
    ]


def test_a_trend_query_has_formulas_and_lines_made_of_columns(client: Client, server: Recorder) -> None:
    """As texts or with labels; what the wire cannot carry is refused here."""
    formulas = ["A / B", Formula("A", "a")]
    client.ask(TrendQuery(series=[Series("a", per="company")], formulas=formulas, cumulative=True, moving_average=7))
    asked = _asked(server)
    assert asked["formulas"] == [{"expression": "A / B"}, {"expression": "A", "label": "a"}]
    assert (asked["cumulative"], asked["movingAverage"], asked["series"][0]["per"]) == (True, 7, "company")
    with pytest.raises(QueryError) as error:
        client.ask(TrendQuery(series=[Series("a")], moving_average=-1))
    assert error.value.violations[0][0] == "moving_average"


def test_filters_nest(client: Client, server: Recorder) -> None:
    """all_of, any_of and not_ become the same tree on the wire."""
    a, b = where("event.pages", "gt", 3), where("user.role", "equals", "admin")
    client.trend("x", where=any_of(a, not_(all_of(a, b))))
    wire_a = {"condition": {"attribute": "event.pages", "operator": "OPERATOR_GT", "values": [3.0]}}
    wire_b = {"condition": {"attribute": "user.role", "operator": "OPERATOR_EQUALS", "values": ["admin"]}}
    assert _asked(server)["filter"] == {"any": {"filters": [wire_a, {"not": {"all": {"filters": [wire_a, wire_b]}}}]}}


def test_parts_may_be_combinations(client: Client, server: Recorder) -> None:
    """Of several attributes: asked by their names, and given back as a part made of parts."""
    values = [{"value": "pro"}, {"missing": True}]
    row = trend_pb2.TrendRow(breakdown={"combination": {"values": values}}, values=[2.0])
    server.answer = lambda request: trend_pb2.QueryTrendResponse(columns=[Timestamp()], rows=[row])
    trend = client.trend("x", breakdown=["company.plan", "event.os"])
    assert _asked(server)["breakdown"] == {"attributes": ["company.plan", "event.os"], "limit": 10}
    assert trend.rows[0].part == Part(values=(Part("pro"), Part(missing=True)))
    assert trend.to_rows()[0]["part"] == "pro / (missing)"


def test_an_unknown_operator_is_refused_where_it_is_written() -> None:
    """Before anything is sent."""
    with pytest.raises(ValueError, match="greater"):
        where("event.pages", "greater", 3)


def test_a_trend_comes_back_as_a_table(client: Client, server: Recorder) -> None:
    """Columns are times, rows are lines, parts tell values, others and missing ones apart."""
    complete = Timestamp()
    complete.FromDatetime(DAY)
    server.answer = lambda request: trend_pb2.QueryTrendResponse(
        columns=[complete],
        rows=[
            trend_pb2.TrendRow(label="x", breakdown={"value": "pro"}, values=[2.0], total=2),
            trend_pb2.TrendRow(label="x", breakdown={"missing": True}, values=[nan], total=nan),
            trend_pb2.TrendRow(label="x", breakdown={"other": True}, values=[1.0], total=1),
        ],
        info={"elapsed": Duration(nanos=5_000_000), "rows_read": 9, "complete_until": complete},
    )
    trend = client.trend("x", breakdown="company.plan")
    assert trend.columns == (DAY,)
    assert [row.part for row in trend.rows] == [Part("pro"), Part(missing=True), Part(other=True)]
    assert isnan(trend.rows[1].values[0])
    assert trend.to_rows()[0] == {"label": "x", "part": "pro", "time": DAY, "value": 2.0}
    assert [row["part"] for row in trend.to_rows()] == ["pro", "(missing)", "(other)"]
    assert (trend.info.elapsed, trend.info.rows_read) == (timedelta(milliseconds=5), 9)
    assert trend.info.complete_until == DAY


def test_an_answer_has_what_was_asked_and_that_of_the_other_span(client: Client, server: Recorder) -> None:
    """Spans by name, comparison and properties as of the event reach the server; both answers come back."""
    row = trend_pb2.TrendRow(label="x", values=[2.0], total=2)
    server.answer = lambda request: trend_pb2.QueryTrendResponse(
        rows=[row], asked={"time_zone": "UTC"}, previous={"rows": [trend_pb2.TrendRow(label="x", total=1)]}
    )
    trend = client.trend("x", start="last month", compare="previous", properties_as_of="event")
    assert _asked(server)["range"] == {"start": "last month", "compare": "previous"}
    assert _asked(server)["propertiesAsOf"] == "PROPERTIES_AS_OF_EVENT"
    assert trend.asked == {"time_zone": "UTC"}
    assert trend.previous is not None
    assert (trend.rows[0].total, trend.previous.rows[0].total, trend.previous.previous) == (2, 1, None)


def test_a_funnel_asks_and_answers(client: Client, server: Recorder) -> None:
    """Names and Steps mix; window, count_by and breakdown reach the server; counts and shares come back."""
    server.answer = lambda request: funnel_pb2.QueryFunnelResponse(
        rows=[
            funnel_pb2.FunnelRow(
                steps=[
                    {"label": "signed_up", "count": 4, "conversion_from_first": 1, "conversion_from_previous": 1},
                    {"label": "big", "count": 1, "conversion_from_first": 0.25, "conversion_from_previous": 0.25},
                ]
            )
        ]
    )
    funnel = client.funnel(
        ["signed_up", Step("report_created", where("event.pages", "gte", 10), "big")],
        count_by="company",
        window=timedelta(days=7),
        breakdown="company.plan",
        start="-90d",
    )
    assert _asked(server) == {
        "steps": [
            {"event": "signed_up"},
            {
                "event": "report_created",
                "label": "big",
                "filter": {"condition": {"attribute": "event.pages", "operator": "OPERATOR_GTE", "values": [10.0]}},
            },
        ],
        "countBy": "company",
        "order": "FUNNEL_ORDER_ORDERED",
        "attribution": "FUNNEL_ATTRIBUTION_FIRST_TOUCH",
        "window": "604800s",
        "breakdown": {"attributes": ["company.plan"], "limit": 10},
        "range": {"start": "-90d"},
    }
    assert funnel.rows[0].part is None
    assert funnel.to_rows()[1] == {
        "part": None,
        "step": "big",
        "count": 1,
        "conversion_from_first": 0.25,
        "conversion_from_previous": 0.25,
    }


def test_a_refused_question_names_the_fields_at_fault(client: Client, server: Recorder) -> None:
    """google.rpc.BadRequest becomes QueryError.violations."""
    details = status_pb2.Status(code=3, message="bad")
    details.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=Duration(seconds=1)))
    details.details.add().Pack(
        error_details_pb2.BadRequest(
            field_violations=[{"field": "steps", "description": "2 to 20"}, {"field": "größe", "description": ""}]
        )
    )
    server.failures.append(Failure(grpc.StatusCode.INVALID_ARGUMENT, "bad", details.SerializeToString()))
    with pytest.raises(QueryError, match="INVALID_ARGUMENT: bad") as caught:
        client.funnel(["one"])
    assert caught.value.code == "INVALID_ARGUMENT"
    assert caught.value.violations == (("steps", "2 to 20"), ("größe", ""))


@pytest.mark.parametrize("question", [{"measure": "most"}, {"interval": "fortnight"}, {"measure": "unspecified"}])
def test_a_word_that_the_wire_does_not_have_is_refused_alike(client: Client, question: dict[str, str]) -> None:
    """An unknown measure or interval is a QueryError that lists the known ones."""
    with pytest.raises(QueryError, match="one of") as caught:
        client.trend("x", **question)  # type: ignore[arg-type]
    assert caught.value.violations[0][0] in question


def test_paths_ask_for_all_they_were_told(client: Client, server: Recorder) -> None:
    """Events by name, by action and with filters; and come back as a table of edges."""
    edge = paths_pb2.PathEdge(step=1, source="a", target="b", paths=2, actors=1, median=Duration(seconds=90))
    server.answer = lambda request: paths_pb2.QueryPathsResponse(paths=3, edges=[edge], edges_left_out=4)
    query = PathsQuery(
        start_event="a",
        end_event=Happening(action="activated"),
        only=["a", Happening("b", where("event.x", "is_set"))],
        groups=[PathGroup("^/docs", "docs")],
        gap=timedelta(hours=1),
        steps=3,
    )
    answer = client.ask(query)
    asked = _asked(server)
    assert (asked["startEvent"], asked["endEvent"]) == ({"event": "a"}, {"action": "activated"})
    assert asked["only"][1]["filter"]["condition"]["operator"] == "OPERATOR_IS_SET"
    assert (asked["groups"], asked["gap"], asked["steps"]) == ([{"pattern": "^/docs", "label": "docs"}], "3600s", 3)
    assert answer.to_rows() == [
        {
            "step": 1,
            "source": "a",
            "target": "b",
            "paths": 2,
            "actors": 1,
            "mean_seconds": 0.0,
            "median_seconds": 90.0,
        }
    ]
    assert (answer.paths, answer.edges_left_out) == (3, 4)


def test_feature_usage_comes_back_as_a_row_a_feature(client: Client, server: Recorder) -> None:
    """Asked by event, by action and with filters; a feature that was never used has no times."""
    at = Timestamp()
    at.FromDatetime(DAY)
    used = features_pb2.FeatureUse(label="a", users=3, user_share=0.5, trend=[1, 2], first_used_at=at, last_used_at=at)
    response = features_pb2.QueryFeatureUsageResponse(features=[used, {"label": "b"}], columns=[at], active_users=6)
    server.answer = lambda request: response
    features = ["a", Feature(Happening(action="b"), "B")]
    answer = client.ask(FeatureUsageQuery(features=features, group_type="company", interval="week"))
    asked = _asked(server)
    assert asked["features"] == [{"use": {"event": "a"}}, {"use": {"action": "b"}, "label": "B"}]
    assert (asked["groupType"], asked["interval"]) == ("company", "INTERVAL_WEEK")
    assert (answer.features[0].trend, answer.features[0].last_used_at, answer.active_users) == ((1, 2), DAY, 6)
    assert answer.to_rows()[1]["last_used_at"] is None
    assert "trend" not in answer.to_rows()[0]
