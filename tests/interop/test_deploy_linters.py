"""What is never run here, read by the linters of others: workflows and the action by actionlint, the Dockerfile by
BuildKit's own parser and linter.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.interop.peers import Build, build

pytestmark = pytest.mark.interop

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "deploy" / "container" / "Dockerfile").read_bytes()
WORKFLOW = re.compile(r"^```yaml\n(name: .*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def actionlint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the program."""
    target = tmp_path_factory.mktemp("actionlint") / "actionlint"
    built = build("linters", target, "github.com/rhysd/actionlint/cmd/actionlint")
    if isinstance(built, str):
        pytest.skip(f"NOT TESTED by actionlint: {built}")
    return target


def workflows() -> dict[str, str]:
    """Return our own workflows, and those in our documents, by where they are."""
    found = {path.name: path.read_text("utf-8") for path in (ROOT / ".github" / "workflows").iterdir()}
    for document in (ROOT / "docs").rglob("*.md"):
        for number, text in enumerate(WORKFLOW.findall(document.read_text("utf-8"))):
            if "\njobs:\n" in text:
                found[f"{document.stem}-{number}.yml"] = text
    return found


def test_workflows_and_the_action(actionlint: Path, tmp_path: Path) -> None:
    """There is nothing to say of any, and what a workflow gives the action and takes from it is what it has."""
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "action.yml", tmp_path)
    for name, text in workflows().items():
        # the action is looked into where it is a local one
        (folder / name).write_text(re.sub(r"uses: OWNER/tiletree@\S+.*", "uses: ./", text), "utf-8")
    assert "uses: ./" in (folder / "jobs-0.yml").read_text("utf-8")
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    done = subprocess.run([str(actionlint), "-shellcheck=", "-pyflakes="], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_dockerfile(program: Build) -> None:
    """BuildKit reads it, and its linter has nothing to say; of one with a fault it has."""
    linter = program("linters")
    assert linter(stdin=DOCKERFILE) == b"stages 2\n"
    assert b": MaintainerDeprecated: " in linter(stdin=DOCKERFILE + b"MAINTAINER nobody\n")
    linter.refuses()  # nothing at all
