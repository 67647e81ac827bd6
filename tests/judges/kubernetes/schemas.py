"""Copies the schemas of some Kubernetes versions into a folder of their own.

    schemas.py PACKAGE TARGET VERSION...

PACKAGE is the installed `kubernetes_validate`. Its schemas carry an address and
refer to one another by it; kubeconform would look there over the network. So each
`$id` is left out and each reference becomes one to the file beside it. Of each
version both forms are kept: `vX.Y.Z-local`, and `vX.Y.Z-local-strict`, which
allows no unknown field.
"""

import json
import pathlib
import sys

DEFINITIONS = "/api/_definitions.json"


def local(schema):
    """Returns a schema whose references are relative."""
    if isinstance(schema, list):
        return [local(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: local(value) for key, value in schema.items()}
    reference = out.get("$ref")
    if isinstance(reference, str) and reference.startswith(DEFINITIONS):
        out["$ref"] = reference.removeprefix("/api/")
    return out


def main(package, target, *versions):
    source = pathlib.Path(package) / "kubernetes-json-schema"
    for version in versions:
        for form in ("local", "local-strict"):
            name = f"v{version}-{form}"
            copies = pathlib.Path(target) / name
            copies.mkdir(parents=True)
            for file in sorted((source / name).glob("*.json")):
                schema = local(json.loads(file.read_text("utf-8")))
                schema.pop("$id", None)
                (copies / file.name).write_text(json.dumps(schema), "utf-8")
            if not (copies / "deployment-apps-v1.json").exists():
                sys.exit(f"{package} has no schemas {name}")


main(*sys.argv[1:])
