"""KadeQL set out anew: keywords in upper case, a clause a line, long lists indented, and nothing else changed.

The formatter works on tokens alone. Every token and every comment of the source stands in the result, in its order.
"""

from __future__ import annotations

from luma_bench.errors import EngineError
from luma_bench.language.diagnostics import unmatched
from luma_bench.language.format_layout import Layout
from luma_bench.language.format_pieces import Piece, comments_between, pieces_of
from luma_bench.language.format_shape import nested
from luma_bench.language.tokens import Tokens, tokenize


def format_text(text: str) -> str:
    """A text of one or more statements, set out anew.

    Keywords are upper case, names and functions as written. A statement of up to 60 columns stays on a line; a longer
    one has a clause a line, and lists, conditions, subqueries and CASE that do not fit into 88 columns are indented
    below. Line breaks are those of the text. Statements begin on lines of their own, with a blank line between them where there was one. The same
    text comes out when the result is formatted again.

    Raises
    ------
    KadeQLSyntaxError
        A string, quoted name, comment or bracket is never closed.
    """
    tokens = tokenize(text)
    for first, last in tokens.statements():
        wrong = tokens.unmatched(first, last)
        if wrong is not None:
            raise unmatched(tokens, wrong)
    pieces, rest = pieces_of(tokens)
    layout = Layout()
    statement: list[Piece] = []
    for piece in pieces:
        if piece.word == ";":
            if statement:
                layout.statement(nested(statement))
            layout.piece(piece, 0)
            statement = []
            continue
        if not statement:
            _between(layout, piece)
        statement.append(piece)
    if statement:
        layout.statement(nested(statement))
    for comment in rest:
        layout.comment(comment, 0)
    done = layout.text("\r\n" if "\r\n" in text else "\n")
    _require_same(pieces, tokens, tokenize(done))
    return done


def _between(layout: Layout, piece: Piece) -> None:
    """Begin a statement on a line of its own."""
    layout.new_line(0)
    if piece.apart:
        layout.blank()


def _require_same(pieces: list[Piece], before: Tokens, after: Tokens) -> None:
    """Every token and comment is there as it was, but for the case of keywords.

    Raises
    ------
    EngineError
        It is not: the formatter is wrong, and its result must not be used.
    """
    written = [after.slice(index, index + 1) for index in range(len(after))]
    if written != [piece.text for piece in pieces] or _comments(before) != _comments(after):
        raise EngineError(
            "The formatter would have changed the text.", hint="Leave the text as it is, and report it."
        )


def _comments(tokens: Tokens) -> list[tuple[int, str]]:
    """Each comment with the number of the token before which it stands."""
    found: list[tuple[int, str]] = []
    position = 0
    for index in range(len(tokens) + 1):
        start = tokens.starts[index] if index < len(tokens) else len(tokens.text)
        found += [(index, comment.text) for comment in comments_between(tokens.text, position, start)]
        position = tokens.ends[index] if index < len(tokens) else start
    return found
