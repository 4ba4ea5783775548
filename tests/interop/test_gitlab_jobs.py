"""The jobs for GitLab in the recipes, read by GitLab's own schema, as check-jsonschema has it."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.recipes import blocks

pytestmark = pytest.mark.interop

JOBS = {
    f"{name}-{number}": text
    for name in ("gitlab-ci", "small-project")
    for number, text in enumerate(blocks(name, "yaml"))
    if "\njobs:\n" not in text
}


def problems(text: str, folder: Path) -> str:
    """Return what is wrong with a file of jobs; "" if nothing is."""
    if find_spec("check_jsonschema") is None:
        pytest.skip("NOT TESTED by GitLab's schema: check-jsonschema is not installed")
    file = folder / ".gitlab-ci.yml"
    file.write_text(text, "utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci"]
    words = [*command, "--data-transform", "gitlab-ci", str(file)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    return done.stdout if done.returncode else ""


@pytest.mark.parametrize("name", JOBS)
def test_jobs(name: str, tmp_path: Path) -> None:
    """The schema has nothing to say of a job; of one with a fault it has."""
    assert problems(JOBS[name], tmp_path) == ""
    assert "stages" in problems(JOBS[name].replace("  stage: ", "  stages: "), tmp_path)
