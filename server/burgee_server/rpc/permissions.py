"""Which permission each RPC needs. One that is not here cannot be called."""

from burgee_server.access import Permission

_BY_SERVICE: dict[str, dict[Permission, tuple[str, ...]]] = {
    "CaptureService": {
        Permission.CAPTURE: ("Capture", "GetBatch"),
        Permission.READ: ("ListQuarantinedEvents", "GetQuarantinedEvent"),
        Permission.ADMINISTER: ("ReplayQuarantinedEvents", "PurgeQuarantinedEvents"),
    },
    "ProfileService": {
        Permission.CAPTURE: ("IdentifyPerson", "AliasPerson", "IdentifyGroup"),
        Permission.READ: (
            "GetPerson",
            "GetGroup",
            "ListPersons",
            "ListGroups",
            "ListGroupTypes",
            "ListEvents",
            "ExportEvents",
        ),
        Permission.CONFIGURE: ("UpdateGroupType",),
        Permission.ERASE: ("DeletePerson", "DeleteGroup", "GetErasure", "ListErasures"),
    },
    "CohortService": {
        Permission.READ: ("GetCohort", "ListCohorts", "ListCohortMembers"),
        Permission.CONFIGURE: ("CreateCohort", "UpdateCohort", "DeleteCohort", "ChangeCohortMembers", "RefreshCohort"),
    },
    "ActionService": {
        Permission.READ: ("GetAction", "ListActions"),
        Permission.CONFIGURE: ("CreateAction", "UpdateAction", "DeleteAction"),
    },
    "FlagService": {Permission.EVALUATE: ("Evaluate", "EvaluateAll", "BatchEvaluate", "Explain", "Watch")},
    "FlagAdminService": {
        Permission.READ: ("GetFlag", "ListFlags", "ListFlagVersions", "PreviewFlag", "EvaluateAt"),
        Permission.CONFIGURE: (
            "CreateFlag",
            "UpdateFlag",
            "ArchiveFlag",
            "DisableFlag",
            "EnableFlag",
            "RestoreFlagVersion",
        ),
        Permission.ADMINISTER: ("CopyFlags",),  # it reads another environment of the project
    },
    "InsightService": {
        Permission.READ: (
            "QueryTrend",
            "QueryFunnel",
            "QueryFunnelActors",
            "QueryFunnelTimes",
            "QueryFunnelOverTime",
            "QueryFunnelComparison",
            "QueryFunnelCorrelation",
            "QueryRetention",
            "QueryRetentionActors",
            "QueryPaths",
            "QueryFeatureUsage",
            "QueryLifecycle",
            "QueryLifecycleActors",
            "QueryStickiness",
            "QueryStickinessActors",
            "GetInsight",
            "ListInsights",
        ),
        Permission.CONFIGURE: ("CreateInsight", "UpdateInsight", "DeleteInsight"),
        Permission.ASK: ("AskInsight", "AskInsights"),
    },
    "AdminService": {
        Permission.OPERATE: ("CreateProject", "Diagnose", "CreateBackup"),
        Permission.ADMINISTER: (
            "ListProjects",
            "CreateEnvironment",
            "UpdateEnvironment",
            "ListEnvironments",
            "CreateApiKey",
            "ListApiKeys",
            "UpdateApiKey",
            "RevokeApiKey",
            "ListAuditEntries",
        ),
    },
}

NEEDED: dict[str, Permission] = {
    f"/burgee.v1.{service}/{method}": permission
    for service, by_permission in _BY_SERVICE.items()
    for permission, methods in by_permission.items()
    for method in methods
}
