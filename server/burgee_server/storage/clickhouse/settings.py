"""What ClickHouse is told with every statement."""

from burgee_server.storage.clickhouse.layout import Layout

# What is written must be what was captured: a text that looks like a date stays a text, and true beside a text or a
# number in a list stays true; a dot in a key is no path, and two equal keys are no fault: the first of them is kept.
JSON_SETTINGS: dict[str, str | int] = {
    "input_format_try_infer_dates": 0,
    "input_format_try_infer_datetimes": 0,
    "input_format_json_read_bools_as_strings": 0,
    "input_format_json_read_bools_as_numbers": 0,
    "json_type_escape_dots_in_keys": 1,
    "type_json_skip_duplicated_paths": 1,
    "max_dynamic_subcolumns_in_json_type_parsing": 128,
}

# Rows that replace each other become one when they are merged, and whenever they are read: to look for them in what is
# being inserted, and to copy it row by row, was a quarter of the work (docs/decisions/0076).
INSERT_SETTINGS: dict[str, str | int] = JSON_SETTINGS | {"max_partitions_per_insert_block": 0, "optimize_on_insert": 0}


def query_settings(layout: Layout, memory_bytes: int) -> dict[str, str | int]:
    """Of whoever only reads, and goes on on the disk beyond so much memory."""
    return (
        JSON_SETTINGS
        | layout.query_settings
        | {
            "do_not_merge_across_partitions_select_final": 1,
            "max_memory_usage": 4 * memory_bytes,
            "max_bytes_before_external_group_by": memory_bytes,
            "max_bytes_before_external_sort": memory_bytes,
            "max_bytes_before_external_distinct": memory_bytes,
            "max_bytes_before_external_join": memory_bytes,
            # Large, because what is grouped by a few keys looks each up once a block; but a block is what
            # comes in between two looks at whether to go to the disk (docs/decisions/0093).
            "max_block_size": min(max(memory_bytes >> 11, 1 << 13), 1 << 18),
            "preferred_block_size_bytes": min(max(memory_bytes >> 6, 1 << 17), 8 << 20),
            "output_format_json_quote_64bit_integers": 0,
            "output_format_json_quote_denormals": 1,  # "nan" and "inf", where JSON would have null
            "readonly": 2,
            "max_query_size": 16 << 20,  # a filter is bounded where it is read, not by its SQL
            "max_ast_elements": 1_000_000,
            "max_expanded_ast_elements": 2_000_000,
            "max_ast_depth": 10_000,
        }
    )
