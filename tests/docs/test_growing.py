"""The files that make a cluster are right as far as can be told without one: resources, Dask's options, a job script."""

from __future__ import annotations

import ast
import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

VARIABLES = {"DASK_WORKER_NAME"}
"""Variables that the operator gives to containers."""


@pytest.fixture(scope="module")
def deploy(repository: Path) -> Path:
    return repository / "deploy"


@pytest.fixture(scope="module")
def schema(deploy: Path) -> dict[str, Any]:
    return json.loads((deploy / "kubernetes" / "schema.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def resources(deploy: Path) -> list[dict[str, Any]]:
    """Every resource of every file."""
    return [
        resource
        for file in sorted((deploy / "kubernetes").glob("*.yaml"))
        for resource in yaml.safe_load_all(file.read_text("utf-8"))
    ]


def check(resource: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """What is wrong with a resource, where."""
    model = {"$defs": schema["$defs"], **schema["kinds"][resource["kind"]]}
    return [
        f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}"
        for error in jsonschema.Draft202012Validator(model).iter_errors(resource)
    ]


def of_kind(resources: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = (resource for resource in resources if resource["kind"] == kind)
    return found


def pods(resources: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The pod of everything that runs."""
    cluster = of_kind(resources, "DaskCluster")["spec"]
    yield cluster["scheduler"]["spec"]
    yield cluster["worker"]["spec"]
    yield of_kind(resources, "Job")["spec"]["template"]["spec"]


def test_every_resource_is_as_kubernetes_and_the_operator_want_it(
    resources: list[dict[str, Any]], schema: dict[str, Any]
) -> None:
    assert {r["kind"] for r in resources} == set(schema["kinds"]) - {"Secret"}
    assert [problem for resource in resources for problem in check(resource, schema)] == []


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("DaskCluster", ("spec", "worker", "replicas"), "two"),
        ("DaskCluster", ("spec", "worker", "spec", "containers", 0, "imagge"), "x"),
        ("DaskCluster", ("spec", "scheduler", "service", "ports", 0, "port"), [1]),
        ("DaskCluster", ("spec", "worker", "spec", "volumes", 1, "persistentVolumeClaim", "claimName"), None),
        ("DaskCluster", ("apiVersion",), "kubernetes.dask.org/v2"),
        ("DaskAutoscaler", ("spec", "maximum"), None),
        ("NetworkPolicy", ("spec", "ingress", 0, "form"), []),
        ("PersistentVolumeClaim", ("spec", "accessModes"), "ReadWriteMany"),
        ("Job", ("spec", "template", "spec", "containers", 0, "resources", "limit"), {}),
    ],
)
def test_the_check_notices(
    resources: list[dict[str, Any]], schema: dict[str, Any], kind: str, path: tuple[Any, ...], value: object
) -> None:
    spoilt = copy.deepcopy(next(resource for resource in resources if resource["kind"] == kind))
    place = spoilt
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value

    assert check(spoilt, schema) != []


def test_the_parts_fit_each_other(resources: list[dict[str, Any]]) -> None:
    cluster = of_kind(resources, "DaskCluster")
    name = cluster["metadata"]["name"]
    service = cluster["spec"]["scheduler"]["service"]
    claims = {r["metadata"]["name"] for r in resources if r["kind"] == "PersistentVolumeClaim"}
    scheduler = cluster["spec"]["scheduler"]["spec"]["containers"][0]
    worker = cluster["spec"]["worker"]["spec"]["containers"][0]
    ask = of_kind(resources, "Job")["spec"]["template"]["spec"]["containers"][0]

    assert of_kind(resources, "DaskAutoscaler")["spec"]["cluster"] == name
    assert service["selector"]["dask.org/cluster-name"] == name
    assert {port["targetPort"] for port in service["ports"]} <= {port["name"] for port in scheduler["ports"]}
    assert f"tls://{name}-scheduler:8786" in worker["args"]
    assert f"tls://{name}-scheduler:8786" in ask["args"][0]
    for pod in pods(resources):
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        for container in pod["containers"]:
            assert {mount["name"] for mount in container["volumeMounts"]} == set(volumes)
        for volume in volumes.values():
            if "persistentVolumeClaim" in volume:
                assert volume["persistentVolumeClaim"]["claimName"] in claims


def test_who_asks_and_who_works_see_the_same_folders(resources: list[dict[str, Any]]) -> None:
    _, worker, ask = (pod["containers"][0] for pod in pods(resources))

    def places(container: dict[str, Any]) -> dict[str, str]:
        return {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}

    assert {name: places(ask)[name] for name in ("benches", "exchange")}.items() <= places(worker).items()
    exchange = next(item["value"] for item in ask["env"] if item["name"] == "LUMA_SPILL_DIR")
    assert exchange == places(worker)["exchange"]


def test_variables_are_settings_that_dask_has(resources: list[dict[str, Any]]) -> None:
    import dask.config
    import distributed

    known = dask.config.get("distributed", config=dask.config.config)
    assert distributed.__version__
    seen = 0
    for pod in pods(resources):
        for container in pod["containers"]:
            given = {item["name"]: item.get("value") for item in container["env"]}
            found = dask.config.collect_env({k: v for k, v in given.items() if k.startswith("DASK_")})
            for path, _ in leaves(found["distributed"], ()):
                place: Any = known
                for step in path:
                    assert dask.config.canonical_name(step, place) in place, (
                        f"no setting distributed.{'.'.join(path)}"
                    )
                    place = place[dask.config.canonical_name(step, place)]
                seen += 1
    assert seen > 10


def leaves(settings: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    if isinstance(settings, dict):
        for name, value in settings.items():
            yield from leaves(value, (*path, name))
    else:
        yield path, settings


def test_the_scheduler_answers_what_the_autoscaler_asks(resources: list[dict[str, Any]]) -> None:
    import importlib

    scheduler = next(pods(resources))["containers"][0]
    (value,) = (item["value"] for item in scheduler["env"] if item["name"].endswith("HTTP__ROUTES"))
    routes = ast.literal_eval(value)

    found = {path for route in routes for path, *_ in importlib.import_module(route).routes}
    assert "/api/v1/adaptive_target" in found
    assert "/health" in found


def test_command_lines_have_options_that_dask_has(resources: list[dict[str, Any]]) -> None:
    from distributed.cli import dask_scheduler, dask_worker

    scheduler, worker, _ = (pod["containers"][0] for pod in pods(resources))
    for container, command in ((scheduler, dask_scheduler.main), (worker, dask_worker.main)):
        assert container["args"][0] == "dask"
        assert container["args"][1] in ("scheduler", "worker")
        words = [word for word in container["args"][2:] if word != "$(DASK_WORKER_NAME)"]
        options = {flag for param in command.params for flag in (*param.opts, *param.secondary_opts)}
        assert [word for word in words if word.startswith("--") and word not in options] == []
        # What remains after the options is what click understands of it.
        command.make_context(container["args"][1], list(container["args"][2:]), resilient_parsing=True)


def test_the_scripts_inside_are_python_that_names_what_is_there(resources: list[dict[str, Any]]) -> None:
    import luma_bench as lb

    ask = of_kind(resources, "Job")["spec"]["template"]["spec"]["containers"][0]
    tree = ast.parse(ask["args"][0])
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "lb"
    }
    assert used <= set(lb.__all__)


def test_images_name_no_host(deploy: Path, resources: list[dict[str, Any]]) -> None:
    images = {container["image"] for pod in pods(resources) for container in pod["containers"]}
    first = next(
        line for line in (deploy / "Dockerfile").read_text("utf-8").splitlines() if line.startswith("FROM ")
    )
    assert images == {"luma-bench:latest"}
    assert "/" not in first


def test_slurm_gets_a_script_that_starts_workers(deploy: Path, tmp_path: Path) -> None:
    ask = (
        "import runpy, sys\n"
        "if __name__ == '__main__':\n"
        "    made = runpy.run_path(sys.argv[1])['make'](most=2, shared=sys.argv[2])\n"
        "    print(made.job_script())\n"
        "    made.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", ask, str(deploy / "slurm" / "cluster.py"), str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    script = done.stdout

    assert script.startswith("#!/usr/bin/env bash")
    for line in ("#SBATCH -p compute", "#SBATCH --cpus-per-task=16", "#SBATCH -t 02:00:00"):
        assert line in script
    for option in (
        "--nworkers 4",
        "--nthreads 4",
        "--lifetime 115m",
        "--tls-cert",
        "--local-directory $TMPDIR",
    ):
        assert option in script
    assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0
