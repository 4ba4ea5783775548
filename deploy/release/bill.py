"""The bill of materials: the SHA-256 of each file of a release, and what it holds that is from elsewhere.

Its format is CycloneDX 1.6. It has no time and no random number, so the same files have the same bill.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deploy.release.archives import ROOT

_REQUIREMENT = re.compile(r"^([\w.-]+)==([\w.]+)", re.MULTILINE)
_NOBLE = re.compile(r"@noble/post-quantum ([\d.]+) with @noble/hashes and @noble/curves ([\d.]+)")


@dataclass(frozen=True)
class Part:
    """Something from elsewhere that a file holds.

    kind      of registry, as package URLs name it: pypi, npm, cargo
    checksum  SHA-256 in hex of what the registry has, or empty
    """

    kind: str
    name: str
    version: str
    checksum: str = ""

    def component(self) -> dict[str, Any]:
        """Return it as CycloneDX has it."""
        name = self.name.replace("@", "%40")
        found: dict[str, Any] = {"type": "library", "name": self.name, "version": self.version}
        found["purl"] = f"pkg:{self.kind}/{name}@{self.version}"
        if self.checksum:
            found["hashes"] = [{"alg": "SHA-256", "content": self.checksum}]
        return found


def python_parts(requirements: str) -> list[Part]:
    """Return the packages that a file of requirements names."""
    return [Part("pypi", name, version) for name, version in _REQUIREMENT.findall(requirements)]


def rust_parts() -> list[Part]:
    """Return the crates of native/, those that only build it included."""
    locked = tomllib.loads((ROOT / "native" / "Cargo.lock").read_text(encoding="utf-8"))["package"]
    return [Part("cargo", one["name"], one["version"], one["checksum"]) for one in locked if "checksum" in one]


def page_parts(script: bytes) -> list[Part]:
    """Return what a script of the page holds that was not written here: ML-DSA, where it is in it."""
    versions = _NOBLE.search(script.decode())
    if versions is None:
        return []
    names = {"@noble/post-quantum": versions[1], "@noble/hashes": versions[2], "@noble/curves": versions[2]}
    return [Part("npm", name, version) for name, version in names.items()]


def bill(name: str, version: str, files: Mapping[str, bytes], parts: Mapping[str, list[Part]]) -> bytes:
    """Return the bill of materials of a release.

    files   every file of it by name
    parts   what is in which of them
    """
    components = []
    for file in sorted(files):
        digest = hashlib.sha256(files[file]).hexdigest()
        one: dict[str, Any] = {"type": "file", "bom-ref": file, "name": file, "version": version}
        one["hashes"] = [{"alg": "SHA-256", "content": digest}]
        if held := sorted(parts.get(file, []), key=lambda part: (part.kind, part.name, part.version)):
            one["components"] = [{"bom-ref": f"{file}#{part.name}@{part.version}", **part.component()} for part in held]
        components.append(one)
    licences = [{"license": {"id": "Apache-2.0"}}]
    subject = {"type": "application", "bom-ref": name, "name": name, "version": version, "licenses": licences}
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {**subject, "purl": f"pkg:pypi/{name}@{version}"}},
        "components": components,
    }
    return (json.dumps(document, indent=2) + "\n").encode()
