"""Every example of the documentation runs, top to bottom, page by page; every link leads somewhere."""

from __future__ import annotations

import contextlib
import re
import shutil
from pathlib import Path

import pytest
from doc_blocks import KNOWN_FLAGS, Block, blocks_of, pages
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import luma_bench as lb

ROOT = Path(__file__).resolve().parents[2]
PAGES = [path.relative_to(ROOT).as_posix() for path in pages(ROOT)]
LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
MAX_UNRUN = 3


class Place:
    """Where a page's examples run: a new folder, and a namespace with `lb` and `bench`, a copy of the small tour.

    A page with lines such as `%luma open demo.luma` is a notebook: its blocks are cells of an IPython shell, and what it
    opens is a copy of the small tour too.
    """

    def __init__(self, folder: Path, small_tour: Path, page: str, blocks: list[Block]) -> None:
        self.page = page
        self.bench = lb.open(shutil.copytree(small_tour, folder / "tour.luma"))
        self.names: dict[str, object] = {"__name__": "__main__", "lb": lb, "bench": self.bench}
        self.shell: InteractiveShell | None = None
        opened = [
            match[1]
            for block in blocks
            for match in re.finditer(r"^%luma open (\S+)", block.text, re.MULTILINE)
        ]
        if any(re.search("^%", block.text, re.MULTILINE) for block in blocks):
            config = Config({"HistoryManager": {"enabled": False}, "InteractiveShell": {"colors": "nocolor"}})
            self.shell = InteractiveShell.instance(config=config, user_ns=self.names)
            for name in opened:
                shutil.copytree(small_tour, folder / name)

    def execute(self, block: Block) -> None:
        """Run one block; a failing line is reported as a line of the page."""
        if block.language == "kadeql":
            self.names["result"] = self.bench.kadeql(block.text)
        elif self.shell is not None:
            self.shell.run_cell(block.text).raise_error()
        else:
            exec(compile("\n" * (block.line - 1) + block.text, self.page, "exec"), self.names)

    def close(self) -> None:
        """Close every bench that the page knows."""
        if self.shell is not None:
            self.shell.run_cell("%luma close")
            InteractiveShell.clear_instance()
        for opened in {
            id(item): item for item in (self.bench, *self.names.values()) if isinstance(item, lb.Bench)
        }.values():
            opened.close()


@pytest.mark.parametrize("page", PAGES)
def test_examples_run(page: str, tmp_path: Path, small_tour: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = blocks_of((ROOT / page).read_text("utf-8"))
    assert {block.flag for block in found} <= KNOWN_FLAGS, (
        f"{page}: an unknown word after the fence's language"
    )
    runnable = [block for block in found if block.flag != "no-run"]
    if not runnable:
        return  # a page of words; its links are checked below
    monkeypatch.chdir(tmp_path)
    place = Place(tmp_path, small_tour, page, runnable)
    with contextlib.closing(place):
        for block in runnable:
            expected = (
                pytest.raises(lb.errors.LumaError) if block.flag == "fails" else contextlib.nullcontext()
            )
            try:
                with expected:
                    place.execute(block)
            except Exception as error:
                error.add_note(f"in the block at {page}:{block.line}")
                raise


def test_blocks_that_are_not_run_are_rare() -> None:
    unrun = [
        f"{page}:{block.line}"
        for page in PAGES
        for block in blocks_of((ROOT / page).read_text("utf-8"))
        if block.flag == "no-run"
    ]
    assert len(unrun) <= MAX_UNRUN, unrun


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    path = ROOT / page
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    targets = [match["target"].split("#")[0] for match in LINK.finditer(text)]
    local = [target for target in targets if target and "://" not in target]
    assert [target for target in local if not (path.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_files_that_are_named_exist(page: str) -> None:
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text("utf-8"), flags=re.DOTALL)
    named = re.findall(r"`((?:luma_bench|tests|scripts|benchmarks|docs|changes|notebooks)/[\w./-]*)`", text)
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_blocks_are_found_with_their_lines() -> None:
    text = "# T\n\n```python\nx = 1\n```\n\n````kadeql fails\nSELECT ```\n````\n\n```sh\nls\n```\n\n```python no-run\ny\n```\n"
    assert blocks_of(text) == [
        Block("python", "", 4, "x = 1\n"),
        Block("kadeql", "fails", 8, "SELECT ```\n"),
        Block("python", "no-run", 16, "y\n"),
    ]
