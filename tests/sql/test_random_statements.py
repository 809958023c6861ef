"""Random statements that change tables, on a bench and on a DuckDB twin in lockstep: the same rows, the same failures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from statement_grammar import Script

import luma_bench as lb
from benchmarks.agreement import same_rows

STEPS = 50
"""Statements of one script."""


class Lockstep:
    """A fresh bench, of small segments and a small tail, and a fresh DuckDB."""

    def __init__(self, folder: Path) -> None:
        self.bench = lb.open(folder / "b.luma", threads=2, chunk_rows=16, shard_rows=32, inline_bytes=1500)
        self.twin = duckdb.connect(config={"threads": 1})

    def close(self) -> None:
        """Let go of both."""
        self.bench.kadeql("SELECT 1")
        if self.bench._session.current is not None:
            self.bench.kadeql("ROLLBACK")
        self.bench.close()
        self.twin.close()

    def run(self, text: str, changed: str | None) -> bool:
        """Run a statement on both and compare; whether it succeeded.

        Raises
        ------
        AssertionError
            The two differ.
        """
        ours, ending = self._on_bench(text)
        theirs, refused = self._on_twin(text)
        assert not ending or refused, f"only KadeQL refuses {text}\n{ending}"
        assert not refused or ending, f"only DuckDB refuses {text}\n{refused}"
        if refused:
            return False
        if (
            ours is not None
            and theirs is not None
            and ("RETURNING" in text or text.startswith(("SELECT", "WITH")))
        ):
            self._same(text, theirs, ours)
        if changed is not None:
            look = f"SELECT * FROM {changed}"
            self._same(
                f"{text}\n{look}", self.twin.sql(look).to_arrow_table(), self.bench.kadeql(look).to_arrow()
            )
        return True

    def _on_bench(self, text: str) -> tuple[pa.Table | None, str]:
        try:
            return self.bench.kadeql(text).to_arrow(), ""
        except lb.errors.UnsupportedError as error:
            raise AssertionError(f"not served: {text}\n{error}") from error
        except lb.errors.LumaError as error:
            return None, str(error)

    def _on_twin(self, text: str) -> tuple[pa.Table | None, str]:
        try:
            found = self.twin.sql(text)
            return (None if found is None else found.to_arrow_table()), ""
        except duckdb.Error as error:
            return None, str(error)

    def _same(self, text: str, theirs: pa.Table, ours: pa.Table) -> None:
        try:
            same_rows(_plain(theirs), _plain(ours))
        except AssertionError as error:
            raise AssertionError(f"{error}\n{text}") from error


def _plain(table: pa.Table) -> pa.Table:
    """UUID and ENUM as text, whole numbers as DECIMAL: what KadeQL delivers."""
    con = duckdb.connect()
    names = [f"n{index}" for index in range(table.num_columns)]
    kinds = con.from_arrow(table.rename_columns(names)).types
    shown = [
        f"CAST({name} AS VARCHAR)" if str(kind).startswith(("ENUM", "UUID")) else
        f"CAST({name} AS DECIMAL(38, 0))" if str(kind) == "HUGEINT" else name
        for name, kind in zip(names, kinds, strict=True)
    ]  # fmt: skip
    found = con.from_arrow(table.rename_columns(names)).project(", ".join(shown)).to_arrow_table()
    con.close()
    return found.rename_columns(table.column_names)


def script(folder: Path, seed: int, steps: int = STEPS) -> int:
    """Run a script; how many of its statements succeeded. A difference is shown with the statements that it needs."""
    made: list[tuple[str, str | None]] = []
    succeeded = 0
    pair = Lockstep(folder / f"s{seed}")
    source = Script(seed)
    try:
        for _ in range(steps):
            made.append(source.statement())
            if pair.run(*made[-1]):
                succeeded += 1
                continue
            after = source.failed()
            if after is not None:
                made.append((after, None))
                pair.run(after, None)
    except AssertionError as error:
        needed = ";\n".join(text for text, _ in shrunk(folder, made))
        raise AssertionError(f"seed {seed}, statement {len(made)}: {error}\n\n{needed};") from error
    finally:
        pair.close()
    return succeeded


def shrunk(
    folder: Path, made: Sequence[tuple[str, str | None]], most: int = 40
) -> list[tuple[str, str | None]]:
    """The statements without those that the difference does not need, as far as `most` trials find out."""
    kept = list(made)
    for index in range(len(made) - 2, max(-1, len(made) - 2 - most), -1):
        fewer = kept[:index] + kept[index + 1 :]
        if _differs(folder / f"trial{index}", fewer):
            kept = fewer
    return kept


def _differs(folder: Path, made: Sequence[tuple[str, str | None]]) -> bool:
    """Whether the last statement, and none before it, makes a difference."""
    pair = Lockstep(folder)
    try:
        for text, changed in made[:-1]:
            pair.run(text, changed)
    except (AssertionError, duckdb.Error, lb.errors.LumaError):
        pair.close()
        return False
    try:
        pair.run(*made[-1])
    except AssertionError:
        return True
    finally:
        pair.close()
    return False


@pytest.mark.parametrize("seed", range(6))
def test_random_statements_that_change_tables(tmp_path: Path, seed: int) -> None:
    # The grammar makes statements that run: were most refused, this test would compare nothing.
    assert script(tmp_path, seed) >= 0.75 * STEPS


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(40))
def test_many_random_statements_that_change_tables(tmp_path: Path, batch: int) -> None:
    seeds = range(1000 + batch * 5, 1005 + batch * 5)
    assert sum(script(tmp_path, seed) for seed in seeds) >= 0.75 * STEPS * len(seeds)


def test_a_difference_is_shown_with_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [
        ("CREATE TABLE a (x INTEGER)", "a"),
        ("CREATE TABLE b (x INTEGER)", "b"),
        ("INSERT INTO a VALUES (1)", "a"),
    ]
    run = Lockstep.run

    def lying(self: Lockstep, text: str, changed: str | None) -> bool:
        if not run(self, text, changed):
            return False
        assert "INSERT" not in text or not self.bench.kadeql("FROM a").to_arrow().num_rows, "a lie"
        return True

    monkeypatch.setattr(Lockstep, "run", lying)
    assert [text for text, _ in shrunk(tmp_path, made)] == [
        "CREATE TABLE a (x INTEGER)",
        "INSERT INTO a VALUES (1)",
    ]
