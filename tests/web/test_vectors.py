"""The JavaScript verifier gives each vector the same verdict, with the same code, as the Python core."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.web_answers import answer, without_mldsa
from tests.support.web_vectors import all_vectors

ROOT = Path(__file__).resolve().parents[2]
RUNNER = Path("tests", "web", "run_vectors.mjs")


def node() -> str:
    """Return where Node is; skip, loudly, where it is not."""
    found = shutil.which("node")
    if not found:
        pytest.skip("NOT TESTED: web/*.js, the JavaScript verifier: there is no node on PATH")
    return found


@pytest.fixture(scope="session")
def vectors() -> dict[str, Any]:
    """Return the cases and their logs."""
    shared = ROOT.parent / "shared" / "vectors"
    return all_vectors(shared if shared.is_dir() else None)


def compare(vectors: dict[str, Any], answers: list[dict[str, Any]], mldsa: bool) -> list[str]:
    """Return where the answers differ from the core's."""
    different = []
    for case, theirs in zip(vectors["cases"], answers, strict=True):
        ours = answer(case if mldsa else without_mldsa(case), vectors["logs"])
        names = ["code", "value", "evidence", *(["path"] if case["op"] == "tiles" else [])]
        pairs = [(name, theirs.get(name) or None, ours.get(name) or None) for name in names]
        wrong = [f"{case['id']}: {name} is {one!r} and not {other!r}" for name, one, other in pairs if one != other]
        different += [words[:500] for words in wrong]
    return different


def test_the_core_gives_the_verdicts_expected(vectors: dict[str, Any]) -> None:
    """Each case says what it is made for, and the core agrees."""
    wrong = []
    for case in vectors["cases"]:
        code = answer(case, vectors["logs"])["code"]
        if code != case.get("expect", code):
            wrong.append(f"{case['id']}: {code}")
    assert wrong == []
    assert {op: count for op, count in Counter(case["op"] for case in vectors["cases"]).items() if count < 5} == {}


@pytest.mark.parametrize("library", [True, False])
def test_node_gives_the_same_verdicts(vectors: dict[str, Any], tmp_path: Path, library: bool) -> None:
    """Node runs web/*.js over all of them, and says what the core says.

    Without the library for ML-DSA-44, and where Node lacks it too, such signatures count as not there.
    """
    for folder in ("web", "tests/web"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    if not library:
        (tmp_path / "web" / "verifier" / "mldsa.js").unlink()
    path = tmp_path / "vectors.json"
    path.write_text(json.dumps(vectors))
    command = [node(), tmp_path / RUNNER, path]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    first, *answers = map(json.loads, done.stdout.removesuffix("\n").split("\n"))
    assert [one["id"] for one in answers] == [case["id"] for case in vectors["cases"]]
    assert first["mldsa"] in (["native", "library"] if library else ["native", ""])
    assert compare(vectors, answers, bool(first["mldsa"])) == []
