"""What stands above and below the operators: who ran it and why, what it took, fallbacks, rules, other engines."""

from __future__ import annotations

from luma_bench.plan.profile import Candidate, Profile
from luma_bench.plot.pieces import wrapped
from luma_bench.plot.plan.pieces import bar, chip, quiet, rail, tip, width, words
from luma_bench.plot.plan.style import CAUTION, engine_colour
from luma_bench.types.record import bytes_text, seconds_text

_LEFT = 16.0
_LINE = 17.0


def above(profile: Profile, wide: float) -> tuple[list[str], float]:
    """The lines above the operators, and where they end."""
    name, stop = chip(_LEFT, 24, profile.engine, engine_colour(profile.engine))
    facts = _facts(profile)
    room = wide - _LEFT - width(facts) * 1.05
    parts = [
        "<g>",
        tip(profile.reason),
        name,
        words(stop + 10, 24, profile.reason, room=max(room - stop - 20, 60)),
        "</g>",
        quiet(wide - _LEFT, 24, facts, anchor="end", size=12),
    ]
    y = 28.0
    for line in _said(profile):
        y += _LINE
        parts.append(quiet(_LEFT, y + 2, line, room=wide - 2 * _LEFT, size=12))
    for line in profile.fallbacks:
        for number, piece in enumerate(wrapped(line, wide - 3 * _LEFT - 60, 12)):
            y += _LINE
            if not number:
                parts.append(bar(_LEFT, y - 11, 3, 17, CAUTION))
            lead = "Fell back: " if not number else ""
            parts.append(words(_LEFT + 10, y + 2, lead + piece, fill=CAUTION, weight=600))
    return parts, y + 10


def _facts(profile: Profile) -> str:
    parts = [f"snapshot {profile.snapshot}"]
    if profile.totals:
        parts.append(f"took {seconds_text(profile.totals['seconds'])}")
    if profile.cached and not profile.totals:
        parts.append("the result cache holds the answer")
    return " · ".join(parts)


def _said(profile: Profile) -> list[str]:
    lines = [profile.change] if profile.change else []
    ran = profile.totals
    if ran:
        lines.append(
            f"{ran['rows_read']:,} rows read, {bytes_text(int(ran['bytes_read']))} · segments {ran['segments_read']:,} read, "
            f"{ran['segments_pruned']:,} pruned · chunks {ran['chunks_read']:,} read, {ran['chunks_pruned']:,} pruned"
        )
    if profile.planned_by:
        lines.append(
            f"The plan is as {profile.planned_by} would run it: {profile.engine} shows none of its own."
        )
    return lines


def below(profile: Profile, y: float, wide: float) -> tuple[list[str], float]:
    """The lines below the operators: islands, rules and the engines that were weighed; and where they end."""
    parts: list[str] = []
    room = wide - 2 * _LEFT - 12
    for name, (model, *told) in profile.islands.items():
        y = _titled(parts, f"{model} {name}", y, engine_colour(model))
        for line in told:
            y += _LINE
            parts.append(quiet(_LEFT + 12, y, line, room=room, size=12))
    if profile.rules:
        y = _titled(parts, "Rules that changed how it runs", y)
        for rule in profile.rules:
            y += _LINE
            parts += ["<g>", tip(str(rule)), quiet(_LEFT + 12, y, str(rule), room=room, size=12), "</g>"]
    if profile.candidates:
        y = _titled(parts, "Engines", y)
        longest = max((item.seconds or 0.0 for item in profile.candidates), default=0.0)
        for item in sorted(profile.candidates, key=lambda item: (item.seconds is None, item.seconds or 0.0)):
            y += _LINE
            parts += _candidate(item, profile, y, longest, wide)
    if profile.machine:
        y += _LINE
        parts.append(quiet(_LEFT + 12, y, f"expected of this machine: {profile.machine}", room=room))
    return parts, y


def _titled(parts: list[str], title: str, y: float, colour: str = "currentColor") -> float:
    parts.append(words(_LEFT, y + 24, title, weight=600, fill=colour))
    return y + 26


def _candidate(item: Candidate, profile: Profile, y: float, longest: float, wide: float) -> list[str]:
    """One engine: what it is expected to take as a bar beside the others', or why it would not do."""
    colour, x = engine_colour(item.engine), _LEFT + 12
    ran = item.engine == profile.engine
    about = "; ".join(part for part in (item.detail, item.why_not) if part)
    parts = ["<g>", tip(f"{item.engine}: {about}" if about else "")]
    parts.append(words(x, y, item.engine, fill=colour, weight=600 if ran else 400))
    at = x + 84
    if item.seconds is not None:
        parts += [rail(at, y - 9, 90, 9)]
        parts.append(bar(at, y - 9, max(90 * item.seconds / longest, 1) if longest else 0, 9, colour))
        said = f"~{seconds_text(item.seconds)}"
        if item.memory:
            said += f", holds {bytes_text(item.memory)}"
        if ran and profile.totals:
            said += f", took {seconds_text(profile.totals['seconds'])}"
        parts.append(words(at + 98, y, said))
        at += 98 + width(said) * 1.05 + 14
    parts.append(quiet(at, y, about, room=max(wide - _LEFT - at, 40), size=12))
    return [*parts, "</g>"]
