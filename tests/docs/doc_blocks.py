"""The runnable blocks of a Markdown page: fenced `python` and `kadeql`, with the line each starts at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(
    r"^(?P<fence>```+)(?P<language>python|kadeql)(?P<flags>[^\n]*)\n(?P<body>.*?)^(?P=fence)[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
KNOWN_FLAGS = {"", "no-run", "fails"}


@dataclass(frozen=True)
class Block:
    """One block; `flag` is `no-run` (not executed), `fails` (must raise a LumaError) or empty."""

    language: str
    flag: str
    line: int
    text: str


def blocks_of(text: str) -> list[Block]:
    """The blocks of a page, in order."""
    return [
        Block(
            match["language"],
            match["flags"].strip(),
            text.count("\n", 0, match.start("body")) + 1,
            match["body"],
        )
        for match in FENCE.finditer(text)
    ]


def pages(root: Path) -> list[Path]:
    """The README, the contributor's guide and every page of docs/."""
    return [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").rglob("*.md"))]
