"""DuckDB's EXPLAIN and EXPLAIN ANALYZE in JSON as a typed plan tree."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from luma_bench.engines.duck_kinds import SCAN_PREFIX
from luma_bench.errors import EngineError
from luma_bench.plan.profile import SCAN, Detail, PlanTree
from luma_bench.types.schema import ROWS_PREFIX

_ESTIMATE = "Estimated Cardinality"
_SCANS = frozenset({"PYTHON_ARROW_SCAN", "ARROW_SCAN", "TABLE_SCAN"})
_WRAPPERS = frozenset({"RESULT_COLLECTOR", "EXPLAIN_ANALYZE", "EXPLAIN", "QUERY"})


def plan_tree(text: str) -> PlanTree | None:
    """The tree of a plan as the engine's `EXPLAIN (FORMAT JSON)` gives it, with figures where it was analyzed.

    None where the engine measured nothing: DESCRIBE is answered while it is planned.

    Raises
    ------
    EngineError
        The text is no such plan: this DuckDB writes another form.
    """
    try:
        read: Any = json.loads(text)
    except ValueError as error:
        raise _strange(text) from error
    if isinstance(read, Mapping):
        named = cast("Mapping[str, Any]", read)
        if named.get("result") == "error":
            return None
        read = named.get("operator", named.get("children"))
    roots = [_node(item) for item in _nodes(read, text)]
    while len(roots) == 1 and roots[0].operator in _WRAPPERS and roots[0].children:
        roots = list(roots[0].children)
    if not roots:
        raise _strange(text)
    return roots[0] if len(roots) == 1 else PlanTree("STATEMENTS", children=tuple(roots))


def _strange(text: str) -> EngineError:
    return EngineError(
        f"The engine's plan could not be read: {text[:80]!r}.",
        hint="Leave EXPLAIN out to run the query; its record names engine and figures.",
    )


def _nodes(read: Any, text: str) -> Sequence[Mapping[str, Any]]:
    if not isinstance(read, list) or not all(isinstance(item, Mapping) for item in cast("list[Any]", read)):
        raise _strange(text)
    return cast("list[Mapping[str, Any]]", read)


def _node(read: Mapping[str, Any]) -> PlanTree:
    about: Any = read.get("extra_info") or {}
    details = dict(cast("Mapping[str, Any]", about)) if isinstance(about, Mapping) else {"info": about}
    estimate = str(details.pop(_ESTIMATE, ""))
    operator = str(read.get("name") or read.get("type") or read.get("operator_type") or "").strip()
    rows, nbytes = read.get("intermediate_rows"), read.get("intermediate_size_bytes")
    return PlanTree(
        operator=SCAN if operator in _SCANS else operator,
        detail=tuple((key, _detail(value)) for key, value in details.items()),
        rows_estimated=int(estimate) if estimate.isdecimal() else None,
        rows=None if rows is None else int(rows),
        seconds=None if read.get("timing") is None else float(read["timing"]),
        nbytes=None if nbytes is None else int(nbytes),
        children=tuple(_node(child) for child in read.get("children") or ()),
    )


def _detail(value: Any) -> Detail:
    if isinstance(value, list):
        return tuple(_plain(item) for item in cast("list[Any]", value))
    return _plain(value)


def _plain(value: Any) -> str:
    return str(value).replace(ROWS_PREFIX, "").replace(SCAN_PREFIX, "")
