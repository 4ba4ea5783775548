"""What the .tf files of a module declare, and what every module has to declare."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# what any value of the type is good for
NEED_NO_VALIDATION = {"bool", "map(string)"}


@dataclass(frozen=True)
class Variable:
    """An input. default: as HCL writes it; None where one has to be given."""

    name: str
    type: str
    description: str
    default: str | None
    is_validated: bool


@dataclass(frozen=True)
class Result:
    """An output."""

    name: str
    description: str


def variables(folder: Path) -> list[Variable]:
    """Return the inputs of a module, in the order of its file."""
    return [
        Variable(
            name,
            _text(body.get("type", "")),
            _text(body.get("description", "")),
            _written(body["default"]) if "default" in body else None,
            "validation" in body,
        )
        for name, body in _blocks(folder / "variables.tf", "variable")
    ]


def outputs(folder: Path) -> list[Result]:
    """Return the outputs of a module, in the order of its file."""
    return [Result(name, _text(body.get("description", ""))) for name, body in _blocks(folder / "outputs.tf", "output")]


def problems(folder: Path) -> list[str]:
    """Return what is wrong with the declarations of a module that others embed."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.tf")))
    declared = variables(folder)
    wrong = [f"variable {v.name} has no type" for v in declared if not v.type]
    described = [("variable", v.name, v.description) for v in declared]
    described += [("output", o.name, o.description) for o in outputs(folder)]
    wrong += [
        f"{kind} {name} is not described in a sentence" for kind, name, said in described if not said.endswith(".")
    ]
    checkable = [v for v in declared if v.type not in NEED_NO_VALIDATION]
    wrong += [f"variable {v.name} is not validated" for v in checkable if not v.is_validated]
    wrong += [f"variable {v.name} is not used" for v in declared if not re.search(rf"\bvar\.{v.name}\b", _used(text))]
    wrong += [f"a module has no {word} block" for word in ("provider", "backend") if _has(text, word)]
    versions = (folder / "versions.tf").read_text(encoding="utf-8")
    wrong += [f"{bound} is no range" for bound in re.findall(r'version\s*=\s*"([^"]*)"', versions) if ">=" not in bound]
    return wrong


def _has(text: str, word: str) -> bool:
    return re.search(rf'^\s*{word} "', text, re.MULTILINE) is not None


def _used(text: str) -> str:
    """Return the text of a module without its declarations of variables."""
    return re.sub(r'^variable "\w+" \{.*?^\}', "", text, flags=re.MULTILINE | re.DOTALL)


def _blocks(path: Path, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    import hcl2  # not everywhere: tests.terraform.tools

    with path.open(encoding="utf-8") as file:
        for block in hcl2.load(file).get(kind, []):
            for name, body in block.items():
                yield _text(name), body


def _text(value: str) -> str:
    """Return the text of a literal, or an expression without its frame."""
    if value.startswith('"'):
        return str(json.loads(value))
    return value.removeprefix("${").removesuffix("}") if value.startswith("${") else value


def _written(value: Any) -> str:
    """Return a default as HCL writes it, in one line."""
    if isinstance(value, dict):
        inner = ", ".join(f"{_text(key)} = {_written(item)}" for key, item in value.items() if key != "__is_block__")
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "null"
    return value.removeprefix("${").removesuffix("}") if isinstance(value, str) else str(value)
