"""Functions on text that plans know."""

from __future__ import annotations

from luma_bench.plan.registry import ATOM, CONCAT, Function, call, repeating

TEXT: dict[str, Function] = {
    "concat": Function("", "text", 2, 1 << 30, CONCAT, (CONCAT + 1,), joiner=" || "),
    "lower": call("lower", "text"),
    "upper": call("upper", "text"),
    "length": call("length", "int"),
    "contains": call("contains", "bool", 2),
    "starts_with": call("starts_with", "bool", 2),
    "ends_with": call("suffix", "bool", 2),
    "matches": call("regexp_matches", "bool", 2, 3),
    "full_match": call("regexp_full_match", "bool", 2, 3),
    "replace": call("replace", "text", 3),
    "regexp_replace": call("regexp_replace", "text", 3, 4),
    "trim": call("trim", "text", 2),
    "ltrim": call("ltrim", "text", 2),
    "rtrim": call("rtrim", "text", 2),
    "reverse": call("reverse", "text"),
    "repeat": call("repeat", "text", 2),
    "left_pad": call("lpad", "text", 3),
    "right_pad": call("rpad", "text", 3),
    "position": call("strpos", "int", 2),
    # 1-based, both ends included, negative ones count from the end.
    "slice": call("array_slice", "text", 3),
    "character": Function("nullif({0}[{1}], '')", "text", 2, 2, inside=(ATOM, 0)),
    "left": call("left", "text", 2),
    "split": call("string_split", "other", 2),
    "split_regex": call("string_split_regex", "other", 2),
    "split_part": call("split_part", "text", 3),
    "extract_all": call("regexp_extract_all", "other", 2, 3),
    # The engine gives an empty text where nothing matches; pandas a missing value.
    "extract": repeating(
        "CASE WHEN regexp_matches({0}, {1}) THEN regexp_extract({0}, {1}, {2}) END", "text", 3
    ),
    "normalize": call("nfc_normalize", "text"),
    "encode": call("encode", "bytes"),
    "decode": call("decode", "text"),
    "code": call("unicode", "int"),
    "join_list": call("array_to_string", "text", 2),
    "words_upper": Function(
        "array_to_string(list_transform(regexp_extract_all({0}, '\\p{{L}}+|\\P{{L}}+'), lambda w: upper(w[1]) || lower(w[2:])), '')",
        "text",
    ),
    "swap_case": Function(
        "array_to_string(list_transform(string_split({0}, ''), lambda c: CASE WHEN c = upper(c) THEN lower(c) ELSE upper(c) END), '')",
        "text",
    ),
}
