"""Lint of a magic's line: options that do not exist, and values that they cannot have."""

from __future__ import annotations

import ast
from collections.abc import Collection
from typing import TYPE_CHECKING

from luma_bench.bench.assist.cell import Place
from luma_bench.bench.assist.options import OPTIONS, CellOptions, parse_options
from luma_bench.bench.assist.values import Fix, Problem
from luma_bench.bench.assist.vocabulary import engines
from luma_bench.bench.moment import parse_moment
from luma_bench.errors import ClosedError, KadeQLSyntaxError, LumaError, choices, nearest

if TYPE_CHECKING:
    from luma_bench.bench.bench import Bench


def head_problems(place: Place, bench: Bench | None) -> tuple[list[Problem], CellOptions | None]:
    """The problems of a magic's line, and its options when they can be read."""
    try:
        options = parse_options(place.head)
    except KadeQLSyntaxError as error:
        return [_misread(error, place)], None
    found: list[Problem] = []
    if options.rest and not place.line:
        start = place.head_start + options.rest_start
        word = options.rest.split()[0]
        fixes = tuple(
            Fix(f"Change to {name}", start, start + len(word), name)
            for name in nearest(word.lstrip("-"), [name[2:] for name in OPTIONS], 1)
        )
        fixes = tuple(Fix(f"Change to --{fix.text}", fix.start, fix.stop, f"--{fix.text}") for fix in fixes)
        found.append(
            Problem(
                start,
                start + len(options.rest),
                "error",
                "This is no option.",
                "The statement stands in the lines below.",
                fixes,
            )
        )
    if options.engine != "auto":
        names = [item.text for item in engines(bench)]
        if options.engine not in (*names, "gpu", "point", "statistics"):
            fixes = [(name, name) for name in nearest(options.engine, names)]
            found.append(
                _value(
                    place,
                    "--engine",
                    options.engine,
                    f"There is no engine {options.engine!r}.",
                    choices(options.engine, names, "engines"),
                    fixes,
                )
            )
    if options.at is not None and bench is not None:
        try:
            bench._store.resolve(parse_moment(options.at))
        except ClosedError:
            pass  # then there is nothing to compare with
        except LumaError as error:
            tags = [tag for snapshot in bench.snapshots() for tag in snapshot.tags]
            found.append(
                _value(
                    place,
                    "--at",
                    options.at,
                    error.message,
                    error.hint or "",
                    [(tag, tag) for tag in nearest(options.at, tags)],
                )
            )
    if options.params is not None:
        try:
            ast.parse(options.params, mode="eval")
        except SyntaxError as error:
            found.append(
                _value(
                    place,
                    "--params",
                    options.params,
                    f"--params: {error.msg}.",
                    "Give a dict such as {'lo': 3}.",
                    [],
                )
            )
    return found, options


def _misread(error: KadeQLSyntaxError, place: Place) -> Problem:
    """An option that cannot be read."""
    start, stop = error.span or (0, len(place.head))
    start, stop = start + place.head_start, stop + place.head_start
    written = place.head[start - place.head_start : stop - place.head_start]
    near = () if written in OPTIONS or not written.startswith("--") else nearest(written, list(OPTIONS), 2)
    fixes = tuple(Fix(f"Change to {name}", start, stop, name) for name in near)
    return Problem(start, stop, "error", error.plain, error.hint or "", fixes)


def _value(
    place: Place, option: str, value: str, message: str, hint: str, fixes: list[tuple[str, str]]
) -> Problem:
    """A problem with the value of an option."""
    after = place.head.index(option) + len(option)
    start = place.head.find(value, after)
    start, stop = (
        (place.head_start + start, place.head_start + start + len(value))
        if start >= 0
        else (place.head_start + after - len(option), place.head_start + after)
    )
    return Problem(
        start,
        stop,
        "error",
        message,
        hint,
        tuple(Fix(f"Change to {name}", start, stop, text) for name, text in fixes),
    )


def pinned_at(bench: Bench | None, options: CellOptions) -> Bench | None:
    """The bench at the snapshot that `--at` names; as it is where there is none such, which is told already."""
    if bench is None or options.at is None:
        return bench
    try:
        return bench.at(parse_moment(options.at))
    except LumaError:
        return bench


def given_names(options: CellOptions, params: Collection[str] | None) -> Collection[str] | None:
    """The names in a `--params` that is written out as a dict; None for another expression."""
    if options.params is None:
        return params
    try:
        value = ast.parse(options.params, mode="eval").body
    except SyntaxError:
        return None
    if not isinstance(value, ast.Dict):
        return None
    return [key.value for key in value.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
