"""A query under way: what its islands have found, cut and pinned so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from luma_bench.errors import KadeQLSyntaxError
from luma_bench.language.keywords import KEYWORDS
from luma_bench.language.placed import Pin, Reference, SequenceUse
from luma_bench.language.rewrite import Edit
from luma_bench.language.scope import Scope
from luma_bench.language.tokens import NUMBER, QUOTED, STRING, Tokens
from luma_bench.types.inspector import SqlInspector

if TYPE_CHECKING:
    from luma_bench.language.island_kinds import AnyIsland

# After one of these a name with brackets is not a call: it is an alias with columns, or GLOB as an operator.
_ENDS_OPERAND: Final = frozenset({"AS", ")", "]", "}", STRING, NUMBER, QUOTED})


class Draft:
    """The tokens of one query with the edits, pins and parameters that reading it collects.

    Attributes
    ----------
    scope
        The token range of the query, and where tables stand in it.
    params
        `$names` that the rewritten text uses.
    cut
        The tokens whose text an edit removes.
    reads
        The tables and views that stand in it.
    sequences
        The values of sequences that it takes.
    qualified
        Pinned tables of schemas by schema and name, casefolded, with the names that they got in the text.
    islands
        The graph patterns, algorithms and constructs about series that it holds.
    inspector
        Who judges the grammar of what an island holds.
    taken
        The tokens that an island has read by itself.
    """

    __slots__ = (
        "_lists",
        "_read",
        "cut",
        "edits",
        "inspector",
        "islands",
        "params",
        "pins",
        "qualified",
        "reads",
        "scope",
        "sequences",
        "taken",
        "tokens",
        "volatile",
    )

    def __init__(
        self,
        tokens: Tokens,
        scope: Scope,
        inspector: SqlInspector,
        read: Callable[[Draft], None],
    ) -> None:
        self.tokens = tokens
        self.inspector = inspector
        self._read = read
        self._lists: dict[tuple[int, int], Draft] = {}
        self.taken: set[int] = set()
        self.scope = scope
        self.edits: list[Edit] = []
        self.pins: list[Pin] = []
        self.params: set[str] = set()
        self.cut: set[int] = set()
        self.qualified: dict[tuple[str, str], set[str]] = {}
        self.reads: tuple[Reference, ...] = ()
        self.sequences: list[SequenceUse] = []
        self.islands: list[AnyIsland] = []
        self.volatile = False

    def inside(self, first: int, last: int, *, table: bool = False) -> Draft:
        """The tokens `first` up to, not with, `last` read as a query of its own, or as what stands behind a FROM."""
        scope = Scope(self.tokens, first, last, table=table)
        draft = Draft(self.tokens, scope, self.inspector, self._read)
        draft._lists = self._lists
        self._read(draft)
        return draft

    def listed(self, first: int, last: int) -> Draft:
        """A WITH list read as `inside` reads it, once for all that need it: constructs in it may read lists again."""
        found = self._lists.get((first, last))
        if found is None:
            found = self._lists[first, last] = self.inside(first, last)
        return found

    def replace(self, first: int, last: int, text: str) -> None:
        """Put `text` where tokens `first` up to, not with, `last` stand."""
        self.cut.update(range(first, last))
        self.edits.append(Edit(*self.tokens.span(first, last), text))

    def pin(self, pin: Pin) -> None:
        """Keep a pin; equal ones of a query are one."""
        place = next((at for at, known in enumerate(self.pins) if known.alias == pin.alias), None)
        if place is None:
            self.pins.append(pin)
        elif pin.rows:
            self.pins[place] = pin

    def wrong(self, message: str, index: int, hint: str | None = None) -> KadeQLSyntaxError:
        """A syntax error at a token."""
        return KadeQLSyntaxError(message, text=self.tokens.text, span=self.tokens.span(index), hint=hint)

    def is_call(self, index: int) -> bool:
        """Whether the name at `index`, which a bracket follows, is called; else it is an alias or CTE with columns."""
        words, first = self.tokens.words, self.scope.first
        if index > first:
            before = words[index - 1]
            if before in _ENDS_OPERAND or (self.tokens.is_name(index - 1) and before not in KEYWORDS):
                return False
        after = self.tokens.closing(index + 1, self.scope.last) + 1
        follows = self.tokens.follows
        named = follows(after, self.scope.last, "AS", "(") or follows(
            after, self.scope.last, "AS", "MATERIALIZED"
        )
        return not (
            named
            or follows(after, self.scope.last, "AS", "NOT")
            or follows(after, self.scope.last, "USING", "KEY")
        )

    def names(self) -> frozenset[str]:
        """Every name and string of the query, and the names of its tables in schemas, casefolded."""
        found = self.tokens.names[self.scope.first : self.scope.last]
        return frozenset(map(str.casefold, filter(None, (*found, *(read.name for read in self.reads)))))
