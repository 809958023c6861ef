"""Makes `schema.json`, against which tests hold the manifests here, from the operator's resource definitions and Kubernetes' own models.

    python deploy/kubernetes/derive_schema.py FOLDER

FOLDER holds the unpacked wheel of dask-kubernetes; the package kubernetes is installed where this runs. Descriptions are left
out, equal parts are written once, and an object takes no fields but those that are declared, as `kubectl` checks them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

OWN = ("DaskCluster", "DaskAutoscaler")
CORE = ("PersistentVolumeClaim", "Secret", "NetworkPolicy", "Job")
NOTICE = (
    "Derived from dask-kubernetes {operator} (BSD-3-Clause; Copyright (c) 2023, Dask Developers, Yuvi Panda, Anaconda Inc, "
    "NVIDIA) and from kubernetes {client} (Apache-2.0; Copyright The Kubernetes Authors) by derive_schema.py. "
    "Redistribution of the former is permitted under the three clauses of its licence, which stand in LICENSE.dask-kubernetes."
)
_CRDS = "dask_kubernetes/operator/deployment/helm/dask-kubernetes-operator/crds"
_DROPPED = {"description", "title", "default", "examples"}


def main(folder: Path) -> None:
    """Write the schema beside this file."""
    import importlib.metadata

    import yaml
    from kubernetes.client import models

    defs: dict[str, Any] = {}
    kinds: dict[str, Any] = {}
    for kind in CORE:
        model = plain(getattr(models, f"V1{kind}").model_json_schema(by_alias=True))
        defs |= model.pop("$defs", {})
        kinds[kind] = model
    for kind in OWN:
        crd = yaml.safe_load((folder / _CRDS / f"{kind.lower()}.yaml").read_text("utf-8"))
        version = crd["spec"]["versions"][0]
        model = plain(version["schema"]["openAPIV3Schema"])
        model["properties"] |= {
            "apiVersion": {"const": f"{crd['spec']['group']}/{version['name']}"},
            "kind": {"const": kind},
            "metadata": {"$ref": "#/$defs/V1ObjectMeta"},
        }
        model["required"] = ["apiVersion", "kind", "metadata", "spec"]
        kinds[kind] = model
    # One form of pod for all: the operator's.
    scheduler = kinds["DaskCluster"]["properties"]["spec"]["properties"]["scheduler"]["properties"]
    worker = kinds["DaskCluster"]["properties"]["spec"]["properties"]["worker"]["properties"]
    if scheduler["spec"] != worker["spec"]:
        raise ValueError("the operator's scheduler and worker are no longer pods of one form")
    defs["V1PodSpec"] = scheduler["spec"]
    scheduler["spec"] = worker["spec"] = {"$ref": "#/$defs/V1PodSpec"}
    found = {
        "$comment": NOTICE.format(
            operator=next(folder.glob("dask_kubernetes-*.dist-info"))
            .name.split("-")[1]
            .removesuffix(".dist"),
            client=importlib.metadata.version("kubernetes"),
        ),
        "$defs": strict({name: defs[name] for name in sorted(reached(kinds, defs))}),
        "kinds": strict(kinds),
    }
    text = json.dumps(found, separators=(",", ":"), sort_keys=True)
    # A line for each definition keeps changes readable.
    text = text.replace('},"V1', '},\n"V1').replace('},"kinds"', '},\n"kinds"')
    Path(__file__).with_name("schema.json").write_text(text + "\n", "utf-8")


def plain(schema: Any) -> Any:
    """A schema without words for people, and without null where a field may be left out."""
    if isinstance(schema, list):
        return [plain(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    either = schema.get("anyOf")
    if isinstance(either, list) and {"type": "null"} in either:
        rest = [part for part in either if part != {"type": "null"}]
        return plain(rest[0]) if len(rest) == 1 else {"anyOf": plain(rest)}
    properties = schema.get("properties")
    found = {
        key: plain(value) for key, value in schema.items() if key not in _DROPPED and key != "properties"
    }
    if isinstance(properties, dict):
        found["properties"] = {name: plain(value) for name, value in properties.items()}
    return found


def strict(schema: Any) -> Any:
    """A schema whose objects take no fields but those that are declared."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: strict(value) for key, value in schema.items()}
    declared = isinstance(schema.get("properties"), dict) and schema.get("type", "object") == "object"
    if declared and not schema.get("x-kubernetes-preserve-unknown-fields") and "type" in schema:
        found["additionalProperties"] = False
    return found


def reached(start: Any, defs: dict[str, Any]) -> set[str]:
    """The definitions that something refers to, directly or by others."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        schema = waiting.pop()
        if isinstance(schema, list):
            waiting += schema
        elif isinstance(schema, dict):
            name = str(schema.get("$ref", "")).removeprefix("#/$defs/")
            if name and name not in found:
                found.add(name)
                waiting.append(defs[name])
            waiting += schema.values()
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]))
