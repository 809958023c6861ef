"""Names and strings as SQL text spells them in any position."""

from __future__ import annotations


def quoted(name: str) -> str:
    """An identifier between double quotes."""
    return '"' + name.replace('"', '""') + '"'


def string_literal(value: str) -> str:
    """A string constant between single quotes; see `plan.literals.text` for one that may hold a NUL character."""
    return "'" + value.replace("'", "''") + "'"
