"""`lb.format_kadeql`: texts set out anew, once it is sure that they are KadeQL."""

from __future__ import annotations

from luma_bench.config import Settings
from luma_bench.engines.duck_inspect import DuckInspector
from luma_bench.errors import KadeQLError, KadeQLUnsupportedError, UnsupportedError
from luma_bench.language import format_text, parse
from luma_bench.language.tokens import tokenize


def format_kadeql(text: str) -> str:
    """A KadeQL text set out anew: keywords in upper case, a clause a line, long lists indented; nothing else changes.

    Names, functions, comments and the order of everything stay as they are, and the text means the same. A statement
    that KadeQL does not serve in this version is set out too.

    Raises
    ------
    KadeQLSyntaxError
        The text does not parse; the message shows line, column and caret.

    Examples
    --------
    >>> import luma_bench as lb
    >>> lb.format_kadeql("select a,b from t where x=1 -- one")
    'SELECT a, b FROM t WHERE x = 1 -- one'
    """
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UnsupportedError(f"KadeQL is text, not {type(text).__name__}.", hint="Give a str.")
    return Formatter()(text)


class Formatter:
    """`format_kadeql` for many texts: the parser behind it is built once."""

    def __init__(self) -> None:
        self._inspector = DuckInspector(Settings(threads=1))

    def __call__(self, text: str) -> str:
        """See `format_kadeql`."""
        done = format_text(text)
        tokens = tokenize(text)
        for first, last in tokens.statements():
            start, end = tokens.span(first, last)
            # The statement alone, at its own place in the text.
            self._require_parsed(text, " " * start + text[start:end])
        return done

    def _require_parsed(self, text: str, alone: str) -> None:
        try:
            parse(alone, self._inspector)
        except KadeQLUnsupportedError:
            # What is refused may still be set out.
            return
        except KadeQLError as error:
            raise error.moved(text, error.span) from error
