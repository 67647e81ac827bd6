"""Makes JSON schemas of the definitions that operators publish for their own objects.

    crds.py TARGET MODULE...

MODULE is the folder of a Go module as `go mod download` lays it out, or a file. Each of its
definitions becomes a schema for each version that is served, `GROUP/KIND_VERSION.json`, and stands as it is in
`definitions/GROUP_PLURAL.json`, for a server that is to know it.
As a server that is asked to be strict does, it allows no unknown field, but where
the definition says that unknown ones are kept.
"""

import json
import pathlib
import sys

import yaml

# What is published as experimental gives way to what is not.
PLACES = ("config/crd/experimental", "config/crd/standard", "config/crd/bases", "deploy/crds", "example/prometheus-operator-crd")

# YAML 1.1 takes a lone `=` for something of its own; here it is a text.
yaml.CSafeLoader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: loader.construct_scalar(node))


def strict(schema):
    """Returns a schema that allows no unknown field."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: strict(value) for key, value in schema.items()}
    if schema.get("x-kubernetes-int-or-string"):
        out.pop("type", None)
        out.pop("format", None)
        out["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    properties = schema.get("properties")
    if isinstance(properties, dict) and "type" in schema:
        if not schema.get("x-kubernetes-preserve-unknown-fields") and "additionalProperties" not in schema:
            out["additionalProperties"] = False
    return out


def main(target, *modules):
    target = pathlib.Path(target)
    for module in modules:
        n_schemas = 0
        module = pathlib.Path(module)
        files = [module] if module.is_file() else [file for place in PLACES for file in sorted((module / place).glob("*.yaml"))]
        for file in files:
            for crd in yaml.load_all(file.read_text("utf-8"), Loader=yaml.CSafeLoader):
                if not crd or crd.get("kind") != "CustomResourceDefinition":
                    continue
                spec = crd["spec"]
                whole = target / "definitions" / f"{spec['group']}_{spec['names']['plural']}.json"
                whole.parent.mkdir(parents=True, exist_ok=True)
                whole.write_text(json.dumps(crd, default=str), "utf-8")
                for version in spec["versions"]:
                    if not version.get("served"):
                        continue
                    schema = strict(version["schema"]["openAPIV3Schema"])
                    # Its head is that of any object.
                    schema.setdefault("properties", {}).update(
                        {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}
                    )
                    group = target / spec["group"]
                    group.mkdir(parents=True, exist_ok=True)
                    name = f"{spec['names']['kind'].lower()}_{version['name']}.json"
                    (group / name).write_text(json.dumps(schema), "utf-8")
                    n_schemas += 1
        if not n_schemas:
            sys.exit(f"{module} has no definitions")


main(*sys.argv[1:])
