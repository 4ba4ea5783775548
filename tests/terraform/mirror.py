"""The providers where Terraform looks for them: schemas of the types that the modules use, and what serves them.

    python -m tests.terraform.mirror [FOLDER…]

prints the configuration file to name in $TF_CLI_CONFIG_FILE, for calls of Terraform by hand. FOLDERs are modules
elsewhere, whose types are served as well.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.terraform.cdktf_schema import Json, schemas
from tests.terraform.modules import TERRAFORM
from tests.terraform.tools import HERE, HOME, Unavailable, digest_of, packages, program, wheels

_USED = re.compile(r'^(resource|data|mock_resource|mock_data) "([a-z0-9_]+)"', re.MULTILINE)


@dataclass(frozen=True)
class Source:
    """A provider, and the package that has its schema."""

    name: str
    version: str
    wheel: str


SOURCES = [Source("aws", "6.25.0", "aws-21.22.1"), Source("google", "6.50.0", "google-16.12.1")]


def configuration(folders: Iterable[Path] = ()) -> Path:
    """Return a configuration of Terraform by which it finds the providers. Raises Unavailable.

    folders   modules whose types are needed, beside those below terraform/
    """
    used = types_in([TERRAFORM, *folders])
    code = [(HERE / name).read_bytes() for name in ("cdktf_schema.py", "mirror.py", "schema_provider.py")]
    where = f"{HERE} {packages()}".encode()  # both are in what is made
    name = digest_of(where, *sorted(name.encode() for name in used), *code)
    home = HOME / f"mirror-{name}"
    file = home / "terraform.rc"
    if file.exists():
        return file
    for source in SOURCES:
        mine = {name for name in used if name.removeprefix("data.").startswith(f"{source.name}_")}
        _install(home, source, mine)
    mirror = f'provider_installation {{\n  filesystem_mirror {{\n    path = "{home}/mirror"\n  }}\n}}\n'
    _write(file, f"disable_checkpoint = true\n{mirror}")
    return file


def types_in(folders: Iterable[Path]) -> set[str]:
    """Return the types that modules use: "aws_s3_bucket", and "data.aws_region" for what is read."""
    texts = (path.read_text(encoding="utf-8") for folder in folders for path in folder.rglob("*.tf"))
    found = (match for text in texts for match in _USED.finditer(text))
    return {match[2] if match[1].endswith("resource") else f"data.{match[2]}" for match in found}


@cache
def platform() -> str:
    """Return what Terraform calls this machine, such as "linux_amd64"."""
    said = subprocess.run([program(), "version", "-json"], capture_output=True, check=True)
    return str(json.loads(said.stdout)["platform"])


def _install(home: Path, source: Source, types: set[str]) -> None:
    folder = home / "mirror" / "registry.terraform.io" / "hashicorp" / source.name / source.version / platform()
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "schema.json"
    _write(file, json.dumps(_document(source, types)))
    script = folder / f"terraform-provider-{source.name}_v{source.version}"
    call = shlex.join([sys.executable, str(HERE / "schema_provider.py"), str(file)])
    _write(script, f"#!/bin/sh\nPYTHONPATH={shlex.quote(str(packages()))} exec {call}\n", 0o755)


def _document(source: Source, types: set[str]) -> Json:
    """Return what `terraform providers schema -json` says of a provider, with these types only."""
    found = _kept(source, types | {"provider"})
    read = {name.removeprefix("data."): found[name] for name in types if name.startswith("data.")}
    made = {name: found[name] for name in types if not name.startswith("data.")}
    all_of_it = {"provider": found["provider"], "resource_schemas": made, "data_source_schemas": read}
    return {"format_version": "1.0", "provider_schemas": {f"registry.terraform.io/hashicorp/{source.name}": all_of_it}}


def _kept(source: Source, names: set[str]) -> dict[str, Json]:
    """Return schemas, each of which is taken from the package once."""
    code = digest_of((HERE / "cdktf_schema.py").read_bytes())
    folder = HOME / f"schemas-{source.wheel}-{code}"
    folder.mkdir(parents=True, exist_ok=True)
    missing = sorted(name for name in names - {"provider"} if not (folder / f"{name}.json").exists())
    if missing or not (folder / "provider.json").exists():
        wheel = wheels() / f"cdktf_cdktf_provider_{source.wheel}-py3-none-any.whl"
        for name, schema in schemas(wheel, missing, source.name).items():
            _write(folder / f"{name}.json", json.dumps(schema))
    return {name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in sorted(names)}


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file at once: another run may be using it, or writing the same."""
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.write_text(text, encoding="utf-8")
    new.chmod(mode)
    new.replace(path)


if __name__ == "__main__":
    try:
        print(configuration(Path(argument).resolve() for argument in sys.argv[1:]))
    except Unavailable as error:
        sys.exit(str(error))
