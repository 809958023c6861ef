"""A small bench, and the program."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import luma_bench as lb
from luma_bench.cli.main import main


@pytest.fixture
def bench_path(tmp_path: Path) -> Path:
    path = tmp_path / "cli.luma"
    with lb.open(path) as bench:
        bench.write(
            "flights",
            {"carrier": ["UA", "B6", None, "UA"], "n": [58665, 2, 3, 4]},
            mode="create",
            message="first",
        )
    return path


@dataclass(frozen=True)
class Run:
    """How one command ended."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Run]:
    """Runs a command in the test's folder, within this process; processes of their own stand where they matter."""
    for name in list(os.environ):
        if name.startswith("LUMA_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path, stdin: str = "", **environment: str) -> Run:
        with monkeypatch.context() as patch:
            patch.setattr("sys.stdin", io.StringIO(stdin))
            for name, value in environment.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Run(int(ended.value.code or 0), printed.out, printed.err)

    return run
