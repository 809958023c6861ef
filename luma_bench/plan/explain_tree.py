"""A profile as text for people: what is the bench's own as lines, the plan as a tree with its figures in columns."""

from __future__ import annotations

from luma_bench.plan.profile import PlanTree, Profile, ScanFigures
from luma_bench.types.record import bytes_text, seconds_text

_WIDEST_DETAIL = 110
_HIDDEN = frozenset({"Estimated Cardinality", "Function", "Total Time"})


def head_text(profile: Profile) -> str:
    """Engine, reason, snapshot, estimates, rules and totals, one a line."""
    lines = [f"change     {profile.change}"] if profile.change else []
    lines += [f"engine     {profile.engine}: {profile.reason}", f"snapshot   {profile.snapshot}"]
    lines += _estimates(profile)
    lines += [f"fallback   {text}" for text in profile.fallbacks]
    lines.append(f"cache      {'holds this answer' if profile.cached else 'does not hold this answer'}")
    if profile.planned_by:
        lines.append(
            f"plan       as {profile.planned_by} would run it: {profile.engine} shows none of its own"
        )
    lines += [f"rule       {rule}" for rule in profile.rules]
    for name, (model, *told) in profile.islands.items():
        lines += [
            f"{model:<10} {name}: {line}" if not at else f"           {line}" for at, line in enumerate(told)
        ]
    ran = profile.totals
    if ran:
        lines.append(
            f"ran        {ran['rows_read']:,} rows read, {bytes_text(int(ran['bytes_read']))}; "
            f"segments {ran['segments_read']} read, {ran['segments_pruned']} pruned; "
            f"chunks {ran['chunks_read']} read, {ran['chunks_pruned']} pruned; {seconds_text(ran['seconds'])}"
        )
    return "\n".join(lines)


def _estimates(profile: Profile) -> list[str]:
    """What each engine would take, the one that ran beside what it took, then the engines that would not do."""
    if not profile.candidates:
        return [f"estimate   {name} {seconds_text(seconds)}" for name, seconds in profile.estimates.items()]
    lines: list[str] = []
    for item in profile.candidates:
        if item.seconds is None:
            continue
        parts = [f"{item.engine} {seconds_text(item.seconds)}"]
        if item.memory:
            parts.append(f"holds {bytes_text(item.memory)}")
        if item.engine == profile.engine and profile.totals:
            parts.append(f"took {seconds_text(profile.totals['seconds'])}")
        about = "; ".join(part for part in (item.detail, item.why_not) if part)
        lines.append(f"estimate   {', '.join(parts)}{f': {about}' if about else ''}")
    lines += [
        f"why not    {item.engine}: {item.why_not}" for item in profile.candidates if item.seconds is None
    ]
    return [*lines, f"machine    {profile.machine}"] if profile.machine else lines


def tree_text(tree: PlanTree) -> str:
    """The plan as a tree: a line an operator with its figures in columns, below it what it does and what it pruned."""
    rows = list(_lines(tree, "", ""))
    ran = any(node.rows is not None for node in tree.walk())
    titles = ("est. rows", "rows", "time", "bytes") if ran else ("est. rows",)
    figures = [_figures(node, ran) for _, node, _ in rows]
    widths = [max(len(title), *(len(item[i]) for item in figures)) for i, title in enumerate(titles)]
    first = max(len("operator"), *(len(text) for text, _, _ in rows))
    lines = [_row("operator", titles, first, widths)]
    for (text, node, below), values in zip(rows, figures, strict=True):
        lines.append(_row(text, values, first, widths))
        lines += [f"{below}{line}" for line in _about(node)]
    return "\n".join(lines)


def _row(text: str, values: tuple[str, ...], first: int, widths: list[int]) -> str:
    cells = "  ".join(value.rjust(width) for value, width in zip(values, widths, strict=True))
    return f"{text:<{first}}  {cells}".rstrip()


def _lines(node: PlanTree, lead: str, rest: str) -> list[tuple[str, PlanTree, str]]:
    """Every operator's text with its branches, and what stands before the lines below it."""
    bar = "│ " if node.children else "  "
    found = [(f"{lead}{_title(node)}", node, f"{rest}{bar}  ")]
    for i, child in enumerate(node.children):
        last = i == len(node.children) - 1
        found += _lines(child, rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  "))
    return found


def _title(node: PlanTree) -> str:
    return f"{node.operator} {node.scan.table}" if node.scan is not None else node.operator


def _figures(node: PlanTree, ran: bool) -> tuple[str, ...]:
    estimated = "" if node.rows_estimated is None else f"~{node.rows_estimated:,}"
    if not ran:
        return (estimated,)
    return (
        estimated,
        "" if node.rows is None else f"{node.rows:,}",
        "" if node.seconds is None else seconds_text(node.seconds),
        "" if node.nbytes is None else bytes_text(node.nbytes),
    )


def _about(node: PlanTree) -> list[str]:
    shown = [
        f"{key}: {value if isinstance(value, str) else ', '.join(value)}"
        for key, value in node.detail
        if key not in _HIDDEN and not (key == "Filters" and node.scan is not None and node.scan.applied)
    ]
    lines = [_cut(line.replace("\n", "; ")) for line in shown]
    if node.scan is not None:
        lines += _scan_lines(node.scan)
    return lines


def _scan_lines(scan: ScanFigures) -> list[str]:
    lines: list[str] = []
    if scan.applied:
        lines.append(_cut(f"applied: {', '.join(scan.applied)}"))
    lines += [_cut(f"rule: {rule}") for rule in scan.rules]
    if scan.rows_read is not None:
        lines.append(
            f"read {scan.rows_read:,} of {scan.table_rows:,} rows, {bytes_text(scan.nbytes or 0)}; "
            f"segments {scan.segments_read} read, {scan.segments_pruned} pruned; "
            f"chunks {scan.chunks_read} read, {scan.chunks_pruned} pruned"
        )
    else:
        lines.append(f"{scan.table_rows:,} rows")
    return lines


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST_DETAIL else f"{text[: _WIDEST_DETAIL - 1]}…"
