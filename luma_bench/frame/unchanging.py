"""What frames, columns and groups say of changes in place, and of parameters of pandas' that they do not have."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, Self

from luma_bench.errors import UnsupportedError, nearest

_INSTEAD = {
    "dayfirst": "Say how they are written: format='%d/%m/%Y'.",
    "index": "There is no index: keep its values in a column.",
    "level": "There is no index: name a column.",
    "method": "Use ffill() or bfill().",
}
"""What stands for parameters that people give most."""


def checking_keywords[F: Callable[..., Any]](function: F) -> F:
    """A function that refuses a keyword that it does not know by an error that says which it has.

    `inplace=False`, which pandas' functions have, means nothing and is passed over.

    Raises
    ------
    UnsupportedError
        When it is called with such a keyword.
    """

    @functools.wraps(function)
    def calling(*args: Any, **given: Any) -> Any:
        try:
            return function(*args, **given)
        except TypeError as error:
            trace = error.__traceback__
            # Raised by the call itself, and not by something inside of it.
            if not given or trace is None or trace.tb_next is not None:
                raise
            kept = _checked(function, args, given)
            if len(kept) == len(given):
                raise
        return function(*args, **kept)

    return calling  # pyright: ignore[reportReturnType]  # the same signature


def _checked(function: Callable[..., Any], args: tuple[Any, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords that the function has; `inplace=False` is left out.

    Raises
    ------
    UnsupportedError
        It lacks another.
    """
    parameters = inspect.signature(function).parameters
    if any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
        return dict(given)
    own = [name for name in parameters if name != "self"]
    for name, value in given.items():
        if name in own:
            continue
        called = function.__name__ if function.__name__ != "__init__" else type(args[0]).__name__
        if name != "inplace":
            raise UnsupportedError(
                f"{called}() has no parameter {name!r} here.", hint=_hint(called, name, own)
            )
        if value:
            owner = _word(args[0]) if args else "frame"
            raise UnsupportedError(
                f"{called}(inplace=True): a {owner} does not change in place.",
                hint=f"Write {owner} = {owner}.{called}(…).",
            )
    return {name: value for name, value in given.items() if name in own}


def _hint(called: str, name: str, own: list[str]) -> str:
    near = nearest(name, own)
    if near:
        return f"Did you mean {' or '.join(near)}? All of pandas is behind .to_pandas()."
    if name in _INSTEAD and (name != "method" or called == "fillna"):
        return _INSTEAD[name]
    has = f"It has {', '.join(own)}. " if own else "It has none. "
    return f"{has}All of pandas is behind .to_pandas()."


def _word(owner: object) -> str:
    return "series" if any(base.__name__ == "Operand" for base in type(owner).__mro__) else "frame"


class Named:
    """Classes whose public methods refuse keywords that they do not know by name: see `checking_keywords`."""

    __slots__ = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, value in list(vars(cls).items()):
            if inspect.isfunction(value) and not name.startswith("_"):
                setattr(cls, name, checking_keywords(value))


class Unchanging(Named):
    """Objects that never change: each way in which pandas' do is refused with what to write for it."""

    __slots__ = ()

    def _no_change(self, instead: str) -> NoReturn:
        raise UnsupportedError(f"A {_word(self)} does not change in place.", hint=instead)

    def __setattr__(self, name: str, value: object) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
            return
        word = _word(self)
        match name, word:
            case "name", "series":
                made = "series.rename(…)"
            case "columns", _:
                made = "frame.rename(columns={…})"
            case _, "frame":
                made = f"frame.assign({name}=…)"
            case _:
                made = "frame.assign(…), or the column, anew"
                word = "frame"
        self._no_change(f"Write {word} = {made}.")

    def __delattr__(self, name: str) -> None:
        self.__delitem__(name)

    def __setitem__(self, key: object, value: object) -> None:
        if _word(self) == "series":
            self._no_change("Write series = series.where(condition, value) for a new one.")
        if not isinstance(key, str):
            self._no_change("Write frame = frame.assign(x=frame.x.where(condition, value)) for a new one.")
        made = f"{key}=…" if key.isidentifier() else f"**{{{key!r}: …}}"
        self._no_change(f"Write frame = frame.assign({made}) for a new one.")

    def __delitem__(self, key: object) -> None:
        if _word(self) == "series":
            self._no_change("Write series = series[condition] for the values that stay.")
        self._no_change(f"Write frame = frame.drop(columns=[{key!r}]) for a new one.")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise UnsupportedError(
            f"A {_word(self)} cannot be pickled: it is a question to an open bench.",
            hint="Hand its rows over: to_arrow() or to_pandas(); or store them: to_parquet(path).",
        )


class Reaching:
    """`loc`, `iloc`, `at` and `iat`, which reach for values and change none."""

    __slots__ = ()

    def __setitem__(self, key: object, value: object) -> NoReturn:
        raise UnsupportedError(
            "A frame does not change in place.",
            hint="Write frame = frame.assign(x=frame.x.where(condition, value)) for a new one.",
        )

    def __delitem__(self, key: object) -> NoReturn:
        raise UnsupportedError(
            "A frame does not change in place.", hint="Write frame = frame[condition] for the rows that stay."
        )
