"""The operators of a plan as SVG: a dot in its lane, a name, figures in columns, bars for time and pruning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from luma_bench.plot.plan.pieces import bar, heading, quiet, rail, tip, words
from luma_bench.plot.plan.steps import Step
from luma_bench.plot.plan.style import CAUTION, FAINT, INK, engine_colour
from luma_bench.types.record import bytes_text, seconds_text

LEFT, LANE = 34.0, 20.0
"""Where the main lane stands, and how far apart lanes are."""
_BAR = 96.0
_LINE = 16.0
_TOP = 14.0
"""How far below its upper edge an operator's dot stands."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the columns of figures stand; a column that no operator has a figure for is left out (None).

    Attributes
    ----------
    time
        The left edge of the bars.
    expected, rows, handed
        The right edges of the numbers.
    stop
        Where the texts on the left end.
    """

    time: float | None
    expected: float | None
    rows: float | None
    handed: float | None
    stop: float


def columns(steps: Sequence[Step], wide: float) -> Columns:
    """The columns that a plan needs, from right to left."""
    at = wide - 16.0
    places: dict[str, float | None] = {}
    for name, room in (("nbytes", 76.0), ("rows", 104.0), ("estimated", 104.0), ("seconds", _BAR + 66)):
        if any(getattr(step, name) is not None for step in steps):
            places[name] = at if name != "seconds" else at - room + 8
            at -= room
        else:
            places[name] = None
    return Columns(places["seconds"], places["estimated"], places["rows"], places["nbytes"], at - 14)


def titles(found: Columns, y: float) -> list[str]:
    """The names of the columns."""
    named = ((found.expected, "expected rows"), (found.rows, "rows"), (found.handed, "handed on"))
    parts = [quiet(x, y, name, anchor="end") for x, name in named if x is not None]
    return parts + ([quiet(found.time, y, "time")] if found.time is not None else [])


def height(step: Step) -> float:
    """The pixels that an operator takes: a line for its name, one for what it does, one for what it read."""
    lines = max(len(step.lines), bool(step.surprise))
    return 28 + _LINE * lines + (8 if step.pruning else 0)


def operator(step: Step, y: float, found: Columns) -> str:
    """One operator as a group that stands at `y`; a front end moves the group and unfolds it."""
    colour = engine_colour(step.engine)
    x = LEFT + LANE * step.lane
    text = x + 14
    parts = [
        tip(step.words),
        f'<circle class="luma-dot" cx="{x:.1f}" cy="{_TOP:.1f}" r="5" fill="{colour}"/>',
        heading(text, _TOP + 4, step.operator, step.name, colour, room=found.stop - text),
        *_figures(step, found, colour),
    ]
    line = _TOP + 4
    for said in step.lines:
        line += _LINE
        parts.append(quiet(text, line, said, room=found.stop - text))
    if step.surprise:
        place = found.rows if found.rows is not None else found.stop
        parts.append(
            words(place, _TOP + 4 + _LINE, step.surprise, size=11, anchor="end", fill=CAUTION, weight=600)
        )
    if step.pruning:
        parts.append(_pruned(step.pruning, text, line + 7, found.stop - text, colour))
    reads = "" if step.reads is None else f' data-reads="{step.reads}"'
    parent = "" if step.parent is None else f' data-parent="{step.parent}"'
    return (
        f'<g class="luma-step" data-step="{step.id}"{parent}{reads} data-lane="{step.lane}" data-height="{height(step):g}" '
        f'transform="translate(0 {y:.1f})">{"".join(parts)}</g>'
    )


def _figures(step: Step, found: Columns, colour: str) -> list[str]:
    y = _TOP + 4
    parts: list[str] = []
    if found.expected is not None and step.estimated is not None:
        parts.append(quiet(found.expected, y, f"~{step.estimated:,}", anchor="end", size=12))
    if found.rows is not None and step.rows is not None:
        parts.append(words(found.rows, y, f"{step.rows:,}", anchor="end"))
    if found.handed is not None and step.nbytes is not None:
        parts.append(quiet(found.handed, y, bytes_text(step.nbytes), anchor="end", size=12))
    if found.time is not None and step.seconds is not None:
        share = step.share or 0.0
        parts.append(rail(found.time, _TOP - 5, _BAR, 10))
        # What took any time at all can be seen.
        long = max(share * _BAR, 1.0 if step.seconds > 0 else 0.0)
        parts.append(bar(found.time, _TOP - 5, long, 10, colour))
        parts.append(words(found.time + _BAR + 5, y, seconds_text(step.seconds)))
    return parts


def _pruned(pruning: tuple[int, int], x: float, y: float, room: float, colour: str) -> str:
    """The chunks of a table: the part that was read is filled, the part that was skipped is a rail."""
    read, skipped = pruning
    long = min(room, 240.0)
    share = read / (read + skipped) if read + skipped else 0.0
    return rail(x, y, long, 5) + bar(x, y, max(share * long, 1.0 if read else 0.0), 5, colour)


def edges(steps: Sequence[Step], tops: Sequence[float]) -> list[str]:
    """From each operator to the one that it feeds; as wide as rows flow through it, dashed for a WITH read again."""
    parts: list[str] = []
    for step in steps:
        if step.parent is not None:
            start = (steps[step.parent].lane, tops[step.parent] + _TOP)
            shape = _way(start, (step.lane, tops[step.id] + _TOP))
            parts.append(
                f'<path class="luma-edge" data-edge="{step.id}" d="{shape}" fill="none" stroke="{INK}" '
                f'stroke-opacity="{FAINT}" stroke-width="{_wide(step):.1f}"/>'
            )
        if step.reads is not None:
            owner = steps[step.reads]
            x, end = LEFT + LANE * step.lane, LEFT + LANE * owner.lane
            # Around the lanes, on the left of them.
            out = 20.0 - 5 * (owner.id % 3)
            shape = f"M{x:.1f} {tops[step.id] + _TOP:.1f}H{out:.1f}V{tops[owner.id] + _TOP:.1f}H{end:.1f}"
            parts.append(
                f'<path class="luma-again" data-edge="{step.id}" d="{shape}" fill="none" stroke="{INK}" '
                f'stroke-opacity="{FAINT}" stroke-dasharray="3 3" stroke-linejoin="round"/>'
            )
    return parts


def _way(start: tuple[int, float], stop: tuple[int, float]) -> str:
    """Down along the lane of the upper one, then over to the lower one's lane right above it."""
    x, end = LEFT + LANE * start[0], LEFT + LANE * stop[0]
    if x == end:
        return f"M{x:.1f} {start[1]:.1f}V{stop[1]:.1f}"
    turn = stop[1] - 14
    # The stretch along the upper one's lane is drawn by its main input, which stands further down.
    return f"M{x:.1f} {turn - 6:.1f}V{turn:.1f}C{x:.1f} {turn + 10:.1f} {end:.1f} {turn:.1f} {end:.1f} {stop[1]:.1f}"


def _wide(step: Step) -> float:
    """Pixels of an edge: one more for ten times as many rows."""
    rows = step.rows if step.rows is not None else step.estimated or 0
    return 1.2 + 0.7 * max(len(str(rows)) - 1, 0)
