"""As much of Cypher as openCypher's tests of MATCH use: clauses, patterns and items, as values."""

from __future__ import annotations

import re
from dataclasses import dataclass, field


class Unmapped(Exception):
    """Something that KadeQL spells in no way, or that this reader does not follow; the message is a reason."""


@dataclass
class NodePattern:
    variable: str | None
    labels: list[str] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)


@dataclass
class EdgePattern:
    """`repeats`: least and most (None for no bound) of a variable length; `direction` is -> <- or -."""

    variable: str | None
    types: list[str] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    repeats: tuple[int, int | None] | None = None
    direction: str = "-"


@dataclass
class PathPattern:
    variable: str | None
    elements: list[NodePattern | EdgePattern]

    @property
    def edges(self) -> list[EdgePattern]:
        return [item for item in self.elements if isinstance(item, EdgePattern)]

    @property
    def nodes(self) -> list[NodePattern]:
        return [item for item in self.elements if isinstance(item, NodePattern)]


@dataclass
class Item:
    """What RETURN gives: an expression's tokens and the name of the column."""

    tokens: list[str]
    name: str


@dataclass
class Clause:
    """`word` is MATCH, OPTIONAL MATCH, WITH, RETURN or CREATE; `tail` holds ORDER BY, SKIP and LIMIT."""

    word: str
    paths: list[PathPattern] = field(default_factory=list)
    where: list[str] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    distinct: bool = False
    tail: list[str] = field(default_factory=list)


_TOKENS = re.compile(
    r"""\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<number>\d+\.\d+|\d+|\.\d+(?!\.))|(?P<name>[A-Za-z_]\w*|`[^`]+`|\$\w+)|(?P<sign><>|<=|>=|=~|\.\.|[-+*/%^=<>(),.:;{}\[\]|]))"""
)
_CLAUSES = ("MATCH", "OPTIONAL", "WITH", "RETURN", "CREATE")
_OTHERS = ("UNWIND", "MERGE", "DELETE", "DETACH", "SET", "REMOVE", "CALL", "UNION", "FOREACH")


def tokens_of(text: str) -> list[str]:
    """The tokens of a text."""
    found: list[str] = []
    at = 0
    text = re.sub(r"//[^\n]*|/\*.*?\*/", " ", text, flags=re.DOTALL)
    text = text.rstrip().rstrip(";")
    while at < len(text):
        token = _TOKENS.match(text, at)
        if token is None:
            raise Unmapped("a token that this reader does not know")
        found.append(token.group(0).strip())
        at = token.end()
    return found


def clauses_of(text: str) -> list[Clause]:
    """The clauses of a query or of a text that makes a graph."""
    tokens = tokens_of(text)
    starts: list[int] = []
    depth = 0
    for at, token in enumerate(tokens):
        depth += token in "([{" and len(token) == 1
        depth -= token in ")]}" and len(token) == 1
        if depth == 0 and token.upper() in _OTHERS and (at == 0 or tokens[at - 1] not in (":", ".")):
            raise Unmapped(f"{token.upper()} in a query")
        after_optional = at > 0 and tokens[at - 1].upper() == "OPTIONAL"
        after_starts = at > 0 and tokens[at - 1].upper() in ("STARTS", "ENDS")
        if depth == 0 and token.upper() in _CLAUSES and not after_optional and not after_starts:
            starts.append(at)
    if not starts or starts[0] != 0:
        raise Unmapped("a query that begins with no MATCH")
    return [_clause(tokens[a:b]) for a, b in zip(starts, [*starts[1:], len(tokens)], strict=True)]


def _clause(tokens: list[str]) -> Clause:
    word = tokens[0].upper()
    rest = tokens[1:]
    if word == "OPTIONAL":
        word, rest = "OPTIONAL MATCH", rest[1:]
    made = Clause(word)
    if word in ("MATCH", "OPTIONAL MATCH", "CREATE"):
        body, _, made.where = _cut(rest, "WHERE")
        reader = _Patterns(body)
        made.paths = reader.paths()
        if reader.left:
            raise Unmapped("a pattern that this reader does not follow")
        return made
    if rest and rest[0].upper() == "DISTINCT":
        made.distinct, rest = True, rest[1:]
    body, found, where = _cut(rest, "WHERE")
    made.where = where if found else []
    for at, token in enumerate(body):
        if token.upper() in ("ORDER", "SKIP", "LIMIT") and _depth(body[:at]) == 0:
            body, made.tail = body[:at], body[at:]
            break
    for part in split(body):
        named = [at for at, token in enumerate(part) if token.upper() == "AS" and _depth(part[:at]) == 0]
        if named:
            made.items.append(Item(part[: named[-1]], part[-1].strip("`")))
        else:
            made.items.append(Item(part, "".join(part)))
    return made


def _cut(tokens: list[str], word: str) -> tuple[list[str], bool, list[str]]:
    for at, token in enumerate(tokens):
        if token.upper() == word and _depth(tokens[:at]) == 0:
            return tokens[:at], True, tokens[at + 1 :]
    return tokens, False, []


def _depth(tokens: list[str]) -> int:
    return sum((token in ("(", "[", "{")) - (token in (")", "]", "}")) for token in tokens)


def split(tokens: list[str]) -> list[list[str]]:
    """The parts between commas outside of brackets."""
    parts: list[list[str]] = [[]]
    for token in tokens:
        if token == "," and _depth(parts[-1]) == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]


class _Patterns:
    def __init__(self, tokens: list[str]) -> None:
        self.left = list(tokens)

    def peek(self, at: int = 0) -> str:
        return self.left[at] if at < len(self.left) else ""

    def take(self, wanted: str | None = None) -> str:
        if not self.left or (wanted is not None and self.left[0] != wanted):
            raise Unmapped("a pattern that this reader does not follow")
        return self.left.pop(0)

    def paths(self) -> list[PathPattern]:
        found = [self.path()]
        while self.peek() == ",":
            self.take()
            found.append(self.path())
        return found

    def path(self) -> PathPattern:
        variable = None
        if self.peek(1) == "=":
            variable = self.take()
            self.take()
        if self.peek() != "(":
            raise Unmapped(f"{self.peek() or 'nothing'} in a pattern")
        elements: list[NodePattern | EdgePattern] = [self.node()]
        while self.peek() in ("-", "<"):
            elements += [self.edge(), self.node()]
        return PathPattern(variable, elements)

    def node(self) -> NodePattern:
        self.take("(")
        made = NodePattern(self._name())
        while self.peek() == ":":
            self.take()
            made.labels.append(self.take().strip("`"))
        made.properties = self._properties()
        self.take(")")
        return made

    def edge(self) -> EdgePattern:
        left = self.peek() == "<"
        if left:
            self.take()
        self.take("-")
        made = EdgePattern(None)
        if self.peek() == "[":
            self.take()
            made.variable = self._name()
            while self.peek() in (":", "|"):
                self.take()
                if self.peek() == ":":
                    self.take()
                made.types.append(self.take().strip("`"))
            if self.peek() == "*":
                self.take()
                made.repeats = self._repeats()
            made.properties = self._properties()
            self.take("]")
        self.take("-")
        right = self.peek() == ">"
        if right:
            self.take()
        made.direction = "-" if left == right else "<-" if left else "->"
        return made

    def _repeats(self) -> tuple[int, int | None]:
        least = int(self.take()) if self.peek().isdigit() else None
        if self.peek() != "..":
            return (1, None) if least is None else (least, least)
        self.take()
        most = int(self.take()) if self.peek().isdigit() else None
        return (1 if least is None else least, most)

    def _name(self) -> str | None:
        return self.take().strip("`") if re.match(r"[A-Za-z_`]", self.peek()) else None

    def _properties(self) -> dict[str, str]:
        """Pairs of a map, values as text."""
        if self.peek().startswith("$"):
            raise Unmapped("a parameter in the place of properties")
        if self.peek() != "{":
            return {}
        self.take()
        inner: list[str] = []
        depth = 1
        while True:
            token = self.take()
            depth += token in ("{", "[", "(")
            depth -= token in ("}", "]", ")")
            if depth == 0:
                break
            inner.append(token)
        return {part[0].strip("`"): " ".join(part[2:]) for part in split(inner)}
