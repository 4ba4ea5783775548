"""What runs where the repository is hosted: make targets alone, with the least rights, by actions that are pinned."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CI = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
UPDATES = (ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8")

PINNED = re.compile(r"actions/(checkout|setup-python|setup-go|setup-node)@[0-9a-f]{40} # v[0-9]+\.[0-9]+\.[0-9]+")


def values(text: str, key: str) -> list[str]:
    """Return all values of a key, in order."""
    return re.findall(rf"^[ -]*{re.escape(key)}: *(.*)$", text, flags=re.MULTILINE)


def test_there_is_one_workflow() -> None:
    """This file looks at all that there are."""
    assert [path.name for path in (ROOT / ".github" / "workflows").iterdir()] == ["ci.yml"]


def test_steps_are_make_targets_that_exist() -> None:
    """The workflow calls make and nothing else, for the targets that have to pass; the Makefile has them."""
    commands = [re.fullmatch(r"make ([a-z]+) PYTHON=python", command) for command in values(CI, "run")]
    assert all(commands)
    targets = [command[1] for command in commands if command]
    assert targets == ["check", "test", "docs", "native", "interop", "soak"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert set(targets) <= set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))


def test_actions_are_pinned_by_digest() -> None:
    """A tag can be moved to another commit, a digest cannot."""
    used = values(CI, "uses")
    assert len(used) == 4
    assert all(PINNED.fullmatch(action) for action in used)


def test_rights_are_the_least() -> None:
    """The workflow may read the repository; no step finds a token that the checkout has left behind."""
    assert re.findall(r"^permissions:\n((?: .*\n)+)", CI, flags=re.MULTILINE) == ["  contents: read\n"]
    assert CI.count("permissions:") == 1
    assert values(CI, "persist-credentials") == ["false"]
    assert "secrets." not in CI
    assert "pull_request_target" not in CI


def test_every_supported_python_is_tried() -> None:
    """The Pythons that the package says it runs on are those that are tried."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    supported = re.findall(r"Python :: (3\.\d+)", " ".join(project["classifiers"]))
    assert values(CI, "python") == [str(supported).replace("'", '"')]


@pytest.mark.parametrize(("ecosystem", "pattern"), [("gomod", "go.mod"), ("npm", "package-lock.json")])
def test_every_pinned_dependency_is_updated(ecosystem: str, pattern: str) -> None:
    """Each folder that pins packages is looked after, and each folder that is named pins some."""
    (block,) = re.findall(rf"- package-ecosystem: {ecosystem}\n((?: {{4}}.*\n)+)", UPDATES)
    named = {ROOT / folder for folder in re.findall(r"(?:-|directory:) /(\S+)", block)}
    pinning = {path.parent for path in (ROOT / "tests").rglob(pattern) if "node_modules" not in path.parts}
    assert named == pinning


def test_updates_of_packages_and_actions() -> None:
    """The packages of pyproject.toml and the actions of the workflow are looked after as well."""
    assert values(UPDATES, "package-ecosystem") == ["pip", "github-actions", "gomod", "npm"]
    assert values(UPDATES, "directory")[:2] == ["/", "/"]
