"""What the calls of a bench may be given, checked before anything runs."""

from __future__ import annotations

import re
from collections.abc import Mapping

from luma_bench.errors import KadeQLBindError, UnsupportedError, choices


def check_call(text: object, params: object) -> None:
    """Refuse what is no text, parameters without names, and values that the text has no parameter for.

    Raises
    ------
    UnsupportedError
        The text is no str, or `params` no mapping.
    KadeQLBindError
        A name of `params` stands nowhere in the text as `$name`.
    """
    if not isinstance(text, str):
        raise UnsupportedError(f"KadeQL is text, not {type(text).__name__}.", hint="Give a str.")
    if params is None:
        return
    if not isinstance(params, Mapping):
        raise UnsupportedError(
            f"params is a {type(params).__name__}; parameters have names.",
            hint="Write $lo in the text and params={'lo': 3}.",
        )
    for name in params:  # pyright: ignore[reportUnknownVariableType]
        # Nearly always it is there: only a text without it is looked at token by token.
        if re.search(rf"\${re.escape(str(name))}(?!\w)", text) is None:  # pyright: ignore[reportUnknownArgumentType]
            raise _unasked(text, str(name))  # pyright: ignore[reportUnknownArgumentType]


def _unasked(text: str, name: str) -> KadeQLBindError:
    """The error of a value that the text has no parameter for."""
    # Opening a bench loads this file, and is not to load the language.
    from luma_bench.language.prepare import parameters
    from luma_bench.language.tokens import tokenize

    tokens = tokenize(text)
    known = parameters(tokens, 0, len(tokens))
    hint = choices(name, known, "parameters") if known else "Leave it out: the text has none."
    return KadeQLBindError(f"The text has no parameter ${name}.", hint=hint)


def check_limits(limits: tuple[object, object, object]) -> bool:
    """Refuse what is no timeout, no cap of rows or none of bytes; whether any is given.

    Raises
    ------
    UnsupportedError
        It names the argument.
    """
    names = ("timeout", "max_rows", "max_bytes")
    given = [(name, limit) for name, limit in zip(names, limits, strict=True) if limit is not None]
    for name, limit in given:
        known = int | float if name == "timeout" else int
        # NaN is not at least 0 either.
        if isinstance(limit, bool) or not isinstance(limit, known) or not limit >= 0:
            what = "a number of seconds" if name == "timeout" else "a whole number"
            raise UnsupportedError(f"{name} is {limit!r}.", hint=f"Give {what} of at least 0; 0 is no limit.")
    return bool(given)
