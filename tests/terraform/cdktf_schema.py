"""The schema of a provider's types, from a prebuilt package of CDKTF.

The packages (cdktf-cdktf-provider-* on PyPI) hold the TypeScript that `cdktf get` generated from the real schema: in
the source maps of the JavaScript in a tarball in the wheel. There each attribute has "computed", "optional" and
"required" in a comment, and its type in the function that writes HCL. What comes out is one entry of
`resource_schemas` or `data_source_schemas` as `terraform providers schema -json` has them.
"""

from __future__ import annotations

import base64
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_FLAGS = ("computed", "optional", "required")
_FLAGGED = re.compile(
    r"^  // (\w+) - computed: (true|false), optional: (true|false), required: (true|false)\s*$", re.MULTILINE
)
_CLASS = re.compile(r"^export class (\w+) extends cdktf\.(\w+)", re.MULTILINE)
_TO_HCL = re.compile(r"^export function (\w+)ToHclTerraform\(.*?^}\s*$", re.MULTILINE | re.DOTALL)
_ARGUMENT = re.compile(
    r'^ +(\w+): \{\n\s+value: (.*?),\n\s+isBlock: (true|false),\n\s+type: "(\w+)",\n\s+storageClassType: "(\w+)",\n',
    re.MULTILINE,
)
_STORAGE = re.compile(r"(string|number|boolean|any)(List|Map|MapList|ListList)")
_SOURCE_MAP = re.compile(r"sourceMappingURL=data:application/json;base64,([A-Za-z0-9+/=]+)")
_PRIMITIVE = {"string": "string", "number": "number", "boolean": "bool", "any": "string"}
_ENDINGS = re.compile(r"(OutputReference|List|Map)$")

# how the getter of a computed attribute reads it, and what type it has
_GETTERS: list[tuple[str, Any]] = [
    (r"Fn\.tolist\(this\.getListAttribute", ["set", "string"]),
    (r"Fn\.tolist\(this\.getNumberListAttribute", ["set", "number"]),
    (r"getListAttribute", ["list", "string"]),
    (r"getNumberListAttribute", ["list", "number"]),
    (r"getStringMapAttribute|new cdktf\.StringMap\(", ["map", "string"]),
    (r"new cdktf\.StringMapList\(", ["list", ["map", "string"]]),
    (r"getStringAttribute", "string"),
    (r"getNumberAttribute", "number"),
    (r"getBooleanAttribute", "bool"),
    (r"new cdktf\.BooleanMap\(", ["map", "bool"]),
    (r"new cdktf\.NumberMap\(", ["map", "number"]),
]

# name of an argument → (expression, whether it is a block, "list" and the like, "stringList" and the like)
Arguments = dict[str, tuple[str, bool, str, str]]


def schemas(wheel: Path, types: Iterable[str], provider: str) -> dict[str, Json]:
    """Return the schemas of some types, and that of the provider itself as "provider".

    types      "aws_s3_bucket", and "data.aws_region" for what is read
    provider   "aws": what the names of its types begin with
    """
    wanted = {_folder(name, provider): name for name in types} | {"provider": "provider"}
    found = {wanted[folder]: _schema(source) for folder, source in _sources(wheel, wanted)}
    if missing := set(wanted.values()) - set(found):
        raise LookupError(f"{wheel.name} does not have {', '.join(sorted(missing))}")
    return found


def _folder(name: str, provider: str) -> str:
    """Return where the package has a type: "data.aws_region" → "data-aws-region", "aws_s3_bucket" → "s3-bucket"."""
    name = name.removeprefix(f"{provider}_")
    return name.replace(".", "-").replace("_", "-")


def _sources(wheel: Path, folders: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the TypeScript of some folders of a package."""
    wanted = {f"package/lib/{folder}/index.js": folder for folder in folders}
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".jsii.tgz"))
        data = archive.read(name)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for member in tar:
            file = tar.extractfile(member) if member.name in wanted else None
            if file is not None and (match := _SOURCE_MAP.search(file.read().decode())):
                yield wanted[member.name], json.loads(base64.b64decode(match[1]))["sourcesContent"][0]


def _schema(source: str) -> Json:
    module = _Module(source)
    name, text = module.top
    return {"version": 0, "block": module.block(name, _arguments(text[text.find("synthesizeHclAttributes") :]))}


def _arguments(text: str) -> Arguments:
    return {m[1]: (m[2], m[3] == "true", m[4], m[5]) for m in _ARGUMENT.finditer(text)}


class _Module:
    """The TypeScript of one type: its classes, and the functions that write its blocks as HCL."""

    def __init__(self, source: str) -> None:
        marks = list(_CLASS.finditer(source))
        ends = [mark.start() for mark in marks[1:]] + [len(source)]
        self._classes: dict[str, tuple[str, str]] = {}
        for mark, end in zip(marks, ends, strict=True):
            text = source[mark.start() : end]
            cut = re.search(r"^export (interface|function) ", text, re.MULTILINE)
            self._classes[mark[1]] = mark[2], text[: cut.start()] if cut else text
        self._written = {m[1][0].upper() + m[1][1:]: _arguments(m[0]) for m in _TO_HCL.finditer(source)}

    @property
    def top(self) -> tuple[str, str]:
        """The name and the text of the class that stands for the type itself."""
        kinds = ("TerraformResource", "TerraformDataSource", "TerraformProvider")
        return next((name, text) for name, (base, text) in self._classes.items() if base in kinds)

    def block(self, name: str, arguments: Arguments) -> Json:
        """Return the schema of a block, with all that is nested in it."""
        text = self._classes[name][1]
        block: Json = {"attributes": {}, "block_types": {}}
        marks = list(_FLAGGED.finditer(text))
        ends = [mark.start() for mark in marks[1:]] + [len(text)]
        for mark, end in zip(marks, ends, strict=True):
            chunk = text[mark.end() : end]
            flags = {flag: True for flag, value in zip(_FLAGS, mark.groups()[1:], strict=True) if value == "true"}
            where, found = self._member(mark[1], chunk, flags, arguments.get(mark[1]))
            block[where][mark[1]] = found
        return {key: value for key, value in block.items() if value}

    def _member(
        self, name: str, chunk: str, flags: Json, argument: tuple[str, bool, str, str] | None
    ) -> tuple[str, Json]:
        """Return what a member of a block is: an attribute, or a block."""
        made = re.search(rf'private _\w+ = new (\w+)\(this, "{name}"(?:, (true|false))?', chunk)
        if argument is None:
            return "attributes", {"type": self._computed(chunk, made), **flags}
        value, is_block, kind, storage = argument
        if not is_block:
            return "attributes", {"type": _type(kind, storage), **flags}
        if made is None:  # of the provider itself, whose blocks have no class
            return "block_types", {"nesting_mode": kind, "block": self._written_block(value)}
        kind_of_class = made[1]
        if kind_of_class not in self._classes and (computed := _computed_type(chunk)):
            return "attributes", {"type": computed, **flags}
        struct = _ENDINGS.sub("", kind_of_class)
        nested = self.block(f"{struct}OutputReference", self._written.get(struct, {}))
        block: Json = {"nesting_mode": "single" if kind == "struct" else kind, "block": nested}
        if kind_of_class.endswith("OutputReference") and kind != "struct":
            block["max_items"] = 1
        if flags.get("required"):
            block["min_items"] = 1
        return "block_types", block

    def _written_block(self, value: str) -> Json:
        match = re.search(r"(\w+?)ToHclTerraform", re.sub(r"cdktf\.\w+", "", value))
        struct = match[1][0].upper() + match[1][1:] if match else ""
        arguments = self._written.get(struct, {})
        flat = {name: a for name, a in arguments.items() if not a[1]}
        return {"attributes": {name: {"type": _type(a[2], a[3]), "optional": True} for name, a in flat.items()}}

    def _computed(self, chunk: str, made: re.Match[str] | None) -> Any:
        found = _computed_type(chunk)
        if found is None and made and made[1] in self._classes:
            found = self._object(made[1], is_set=made[2] == "true")
        return found or "string"

    def _object(self, name: str, *, is_set: bool) -> Any:
        reference = f"{_ENDINGS.sub('', name)}OutputReference"
        if reference not in self._classes:
            return None
        attributes = self.block(reference, {}).get("attributes", {})
        found = ["object", {key: attribute["type"] for key, attribute in attributes.items()}]
        if name.endswith("List"):
            return ["set" if is_set else "list", found]
        return ["map", found] if name.endswith("Map") else found


def _type(kind: str, storage: str) -> Any:
    if kind == "simple":
        return _PRIMITIVE[storage]
    match = _STORAGE.fullmatch(storage)
    if match is None:
        return "string"
    element = _PRIMITIVE[match[1]]
    inner = {"List": element, "Map": element, "MapList": ["map", element], "ListList": ["list", element]}[match[2]]
    return [kind, inner]


def _computed_type(chunk: str) -> Any:
    return next((found for pattern, found in _GETTERS if re.search(pattern, chunk)), None)
