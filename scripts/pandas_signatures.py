"""Two sides' functions beside each other: parameters, defaults, and whether one does anything but refuse."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

_UNSAID = frozenset(("copy", "engine", "engine_kwargs", "group_keys", "ignore_index", "inplace", "level"))
"""Parameters about the index, about changing in place, about pandas' compilers, and one that pandas 3 keeps without effect."""

_FORWARDED = frozenset(("kwargs", "kwds", "options"))
"""Names under which a method takes parameters to hand them on, so that all of pandas' are there."""


def result_class(owner: type, name: str) -> type | None:
    """The class that a property or method gives, by its annotation; looked up among the frame's modules."""
    item = inspect.getattr_static(owner, name, None)
    function = item.fget if isinstance(item, property) else item
    if function is None or not callable(function):
        return None
    said = re.findall(r"\w+", str(inspect.signature(function).return_annotation))
    return next((found for word in said if (found := frame_class(word))), None)


def frame_class(name: str) -> type | None:
    """A class of the frame's modules by its name."""
    import luma_bench.frame as room

    for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
        if ".narwhals" in module.name:
            continue  # another interface of its own
        found = vars(importlib.import_module(module.name)).get(name)
        if inspect.isclass(found) and found.__module__.startswith(room.__name__):
            return found
    return None


def only_refuses(item: Any) -> bool:
    """Whether all that a method or property does is to raise."""
    function = item.fget if isinstance(item, property) else getattr(item, "__func__", item)
    if not inspect.isfunction(function):
        return False
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    body = [node for node in getattr(tree, "body", []) if not _is_text(node)]
    return len(body) == 1 and isinstance(body[0], ast.Raise)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def parameters(theirs: Any, ours: Any) -> Iterator[str]:
    """What the two signatures have different: names without, names beside, other defaults."""
    if inspect.isroutine(theirs) and isinstance(ours, property):
        yield "A property."
    elif inspect.isroutine(ours) and not callable(theirs):
        yield "A method."
    them, us = _signature(theirs), _signature(ours)
    if them is None or us is None:
        return
    us = {_called(place, name, us, them): parameter for place, (name, parameter) in enumerate(us.items())}
    collects = any(
        parameter.kind is parameter.VAR_KEYWORD and name in _FORWARDED for name, parameter in us.items()
    )
    own = {name for name, parameter in us.items() if not _is_rest(parameter)}
    named = [name for name, parameter in them.items() if not _is_rest(parameter) and name not in _UNSAID]
    lacking = [name for name in named if name not in own and not collects]
    if lacking:
        yield f"Without `{'`, `'.join(lacking)}`."
    beside = [name for name in us if name in own and name not in them]
    if beside:
        yield f"With `{'`, `'.join(beside)}`."
    moved = next(
        (
            f"Argument {place} is `{mine}` (pandas: `{other}`)."
            for place, (mine, other) in enumerate(zip(_placed(us), _placed(them), strict=False), 1)
            if mine != other
        ),
        None,
    )
    if moved:
        yield moved
    changed = [
        f"`{name}={_default(us[name])}` (pandas: `{_default(them[name])}`)"
        for name in named
        if name in own and not _same_default(us[name].default, them[name].default)
    ]
    if changed:
        yield f"Default {', '.join(changed)}."


def _is_rest(parameter: inspect.Parameter) -> bool:
    return parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)


def _placed(parameters: Mapping[str, inspect.Parameter]) -> list[str]:
    """Those that may be given by their place."""
    return [
        name
        for name, parameter in parameters.items()
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]


def _called(
    place: int, name: str, ours: Mapping[str, inspect.Parameter], theirs: Mapping[str, inspect.Parameter]
) -> str:
    """The name of a parameter of ours; of one that has its place alone, the name of pandas' in that place."""
    if ours[name].kind is not inspect.Parameter.POSITIONAL_ONLY or place >= len(theirs):
        return name
    return list(theirs)[place]


def _signature(item: Any) -> Mapping[str, inspect.Parameter] | None:
    if not callable(item) or inspect.isclass(item):
        return None
    try:
        parameters = inspect.signature(item).parameters
    except ValueError:  # written in C
        return None
    return {name: parameter for name, parameter in parameters.items() if name not in ("self", "cls")}


def _same_default(ours: Any, theirs: Any) -> bool:
    if "no_default" in repr(theirs) or ours is theirs:
        return True
    if inspect.Parameter.empty in (ours, theirs):
        # A default of ours where pandas has none hurts nobody who gives it.
        return ours is inspect.Parameter.empty
    return type(ours) is type(theirs) and bool(ours == theirs)


def _default(parameter: inspect.Parameter) -> str:
    return "required" if parameter.default is inspect.Parameter.empty else repr(parameter.default)
