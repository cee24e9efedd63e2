"""Feature usage."""

from burgee import wire
from burgee.v1 import features_pb2 as pb
from burgee.v1.questions_pb2 import INTERVAL_DAY
from burgee_server.insights.features import Feature, FeaturesQuery, FeatureUsage
from burgee_server.rpc.questions.words import fill_in, read_interval, read_match, read_range

_DEFAULTS = pb.QueryFeatureUsageRequest(interval=INTERVAL_DAY)


def read_features(request: pb.QueryFeatureUsageRequest) -> FeaturesQuery:
    """The question in a request, which gets its defaults. Raises Invalid."""
    fill_in(request, _DEFAULTS)
    return FeaturesQuery(
        features=tuple(
            Feature(read_match(feature.use, f"features[{index}].use"), feature.label)
            for index, feature in enumerate(request.features)
        ),
        range=read_range(request.range),
        time_zone=request.time_zone,
        interval=read_interval(request.interval),
        group_type=request.group_type,
        filter=wire.filter_from_proto(request.filter, "filter"),
    )


def write_features(usage: FeatureUsage) -> pb.QueryFeatureUsageResponse:
    """The answer, without what it cost."""
    response = pb.QueryFeatureUsageResponse(active_users=usage.active_users, active_groups=usage.active_groups)
    for column in usage.columns:
        response.columns.add().FromDatetime(column)
    for feature in usage.features:
        message = response.features.add(
            label=feature.label,
            events=feature.events,
            users=feature.users,
            user_share=feature.user_share,
            groups=feature.groups,
            group_share=feature.group_share,
            events_per_user=feature.events_per_user,
            days_per_user=feature.days_per_user,
            returning_share=feature.returning_share,
            trend=feature.trend,
        )
        if feature.first_used_at is not None and feature.last_used_at is not None:
            message.first_used_at.FromDatetime(feature.first_used_at)
            message.last_used_at.FromDatetime(feature.last_used_at)
    return response
