"""Constraints hold between processes: whoever is faster wins, and nobody ever sees a violation."""

from __future__ import annotations

import contextlib
import multiprocessing as mp
import random
from pathlib import Path

import pytest

import luma_bench as lb
from luma_bench.errors import ConflictError, ConstraintError

SPAWN = mp.get_context("spawn")


def _unique_writer(path: str, seed: int, rounds: int, told: mp.Queue) -> None:
    chance = random.Random(seed)
    won: list[int] = []
    with lb.open(path) as bench:
        for number in range(rounds):
            value = chance.randrange(40)
            try:
                if number % 3:
                    bench.kadeql("INSERT INTO u VALUES ($v, $s)", params={"v": value, "s": seed})
                else:
                    bench.write("u", {"v": [value], "s": [seed]}, "append")
                won.append(value)
            except (ConstraintError, ConflictError):
                pass
    told.put(won)


def _parents(path: str, seed: int, rounds: int, told: mp.Queue) -> None:
    chance = random.Random(seed)
    seen = 0
    with lb.open(path) as bench:
        for _ in range(rounds):
            number = chance.randrange(8)
            text = (
                "INSERT INTO p VALUES ($n) ON CONFLICT DO NOTHING"
                if chance.random() < 0.5
                else "DELETE FROM p WHERE id = $n"
            )
            try:
                bench.kadeql(text, params={"n": number})
            except (ConstraintError, ConflictError):
                seen += 1
    told.put(seen)


def _children(path: str, seed: int, rounds: int, told: mp.Queue) -> None:
    chance = random.Random(seed)
    orphans = 0
    with lb.open(path) as bench:
        for _ in range(rounds):
            number = chance.randrange(8)
            text = "INSERT INTO c VALUES ($n)" if chance.random() < 0.6 else "DELETE FROM c WHERE parent = $n"
            with contextlib.suppress(ConstraintError, ConflictError):
                bench.kadeql(text, params={"n": number})
            orphans += len(bench.kadeql("SELECT * FROM c ANTI JOIN p ON c.parent = p.id", cache=False))
    told.put(orphans)


def _taker(path: str, seed: int, rounds: int, told: mp.Queue) -> None:
    taken: list[int] = []
    with lb.open(path) as bench:
        for number in range(rounds):
            if number % 2:
                rows = bench.kadeql("SELECT nextval('s') AS v FROM range(3)").to_arrow()
                taken += rows.column("v").to_pylist()
            else:
                rows = bench.kadeql(
                    "INSERT INTO n (x) VALUES ($x) RETURNING id", params={"x": seed}
                ).to_arrow()
                taken += rows.column("id").to_pylist()
    told.put(taken)


def _run(path: Path, *work: tuple[object, int, int]) -> list[object]:
    told = SPAWN.Queue()
    started = [
        SPAWN.Process(target=target, args=(str(path), seed, rounds, told)) for target, seed, rounds in work
    ]
    for process in started:
        process.start()
    answers = [told.get(timeout=120) for _ in started]
    for process in started:
        process.join(60)
        assert process.exitcode == 0
    return answers


def test_one_value_is_inserted_once_whoever_inserts_it(tmp_path: Path) -> None:
    path = tmp_path / "b.luma"
    with lb.open(path) as bench:
        bench.kadeql("CREATE TABLE u (v INTEGER UNIQUE, s INTEGER)")
    answers = _run(path, *((_unique_writer, seed, 25) for seed in range(3)))
    with lb.open(path) as bench:
        held = bench.kadeql("SELECT v FROM u ORDER BY v").to_arrow().column("v").to_pylist()
        every = bench.snapshots()
    assert held == sorted(set(held))
    assert held == sorted(value for won in answers for value in won)  # pyright: ignore
    assert len(every) >= len(held)


def test_no_child_is_ever_seen_without_its_parent(tmp_path: Path) -> None:
    path = tmp_path / "b.luma"
    with lb.open(path) as bench:
        bench.kadeql(
            "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (parent INTEGER REFERENCES p (id))"
        )
    answers = _run(path, (_parents, 1, 40), (_children, 2, 40), (_children, 3, 40))
    assert sum(answers[i] for i in range(3) if isinstance(answers[i], int)) >= 0
    with lb.open(path) as bench:
        for snapshot in bench.snapshots():
            if {"p", "c"} <= set(bench.at(snapshot.id).tables()):
                orphans = bench.kadeql("SELECT * FROM c ANTI JOIN p ON c.parent = p.id", at=snapshot.id)
                assert len(orphans) == 0, snapshot


def test_a_sequence_gives_no_value_twice(tmp_path: Path) -> None:
    path = tmp_path / "b.luma"
    with lb.open(path) as bench:
        bench.kadeql(
            "CREATE SEQUENCE s; CREATE TABLE n (id BIGINT DEFAULT nextval('s') PRIMARY KEY, x INTEGER)"
        )
    answers = _run(path, *((_taker, seed, 12) for seed in range(3)))
    taken = [value for found in answers for value in found]  # pyright: ignore
    assert len(taken) == len(set(taken)) == 3 * (6 * 3 + 6)


@pytest.mark.slow
def test_many_processes_and_a_unique_column(tmp_path: Path) -> None:
    path = tmp_path / "b.luma"
    with lb.open(path) as bench:
        bench.kadeql("CREATE TABLE u (v INTEGER UNIQUE, s INTEGER)")
    answers = _run(path, *((_unique_writer, seed, 100) for seed in range(4)))
    with lb.open(path) as bench:
        held = bench.kadeql("SELECT v FROM u ORDER BY v").to_arrow().column("v").to_pylist()
    assert held == sorted(value for won in answers for value in won) == sorted(set(held))  # pyright: ignore
