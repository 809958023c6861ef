"""Links inside benches: found however deep they lie, and found anew when a folder changes."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

import luma_bench as lb
from luma_bench.errors import ForbiddenError
from luma_bench.serve.jupyter.links import Links
from luma_bench.serve.jupyter.places import Places


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    with lb.open(tmp_path / "secret.luma") as bench:
        bench.write("t", {"a": range(50_000)}, mode="create")
    shutil.copytree(tmp_path / "secret.luma", tmp_path / "root" / "copy.luma")
    return tmp_path / "root"


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_copied_catalog_does_not_lead_to_the_data_of_another_bench(root: Path, what: str):
    places = Places.of(str(root), ())
    assert places.located("copy.luma") == str((root / "copy.luma").resolve())
    segment = max(files_below(root / "copy.luma"), key=lambda path: len(path.parts))
    taken = segment if what == "file" else segment.parent
    there = root.parent / "secret.luma" / taken.relative_to(root / "copy.luma")
    assert taken.parent != root / "copy.luma" or what == "folder"
    if taken.is_dir():
        shutil.rmtree(taken)
    else:
        taken.unlink()
    taken.symlink_to(there)
    with pytest.raises(ForbiddenError, match="may not open"):
        places.located("copy.luma")


def test_links_behind_links_are_followed_and_circles_end(root: Path):
    (root / "other").mkdir()
    (root / "other" / "out").symlink_to(root.parent / "secret.luma")
    (root / "other" / "round").symlink_to(root)
    (root / "copy.luma" / "segments-too").symlink_to(root / "other")
    with pytest.raises(ForbiddenError):
        Places.of(str(root), ()).located("copy.luma")
    (root / "other" / "out").unlink()
    assert Places.of(str(root), ()).located("copy.luma")


def test_a_link_that_comes_later_is_found(root: Path):
    folder = root / "copy.luma"
    old = time.time() - 60
    for path in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        os.utime(path, (old, old))
    links = Links()
    assert list(links.below(folder)) == []
    assert list(links.below(folder)) == []
    deepest = max((path for path in folder.rglob("*") if path.is_dir()), key=lambda path: len(path.parts))
    (deepest / "late").symlink_to(root.parent / "secret.luma")
    assert list(links.below(folder)) == [deepest / "late"]
