"""The JavaScript verifier gives each vector the same verdict, with the same code, as the Python core."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.support.browser import Chromium, site
from tests.support.node import ROOT, node
from tests.support.web_answers import Case
from tests.support.web_server import PAGE
from tests.support.web_verdicts import SIGNED, Verdicts

pytest_plugins = ["tests.support.browser_fixture", "tests.support.web_fixtures"]

FOLDER = Path("tests", "web")


def differences(compared: Iterable[tuple[Case, dict[str, Any], dict[str, Any]]]) -> list[str]:
    """Return where answers differ: (case, theirs, the core's)."""
    different = []
    for case, theirs, ours in compared:
        names = ["code", "value", "evidence", *(["path"] if case["op"] == "tiles" else [])]
        pairs = [(name, theirs.get(name) or None, ours.get(name) or None) for name in names]
        wrong = [f"{case['id']}: {name} is {one!r} and not {other!r}" for name, one, other in pairs if one != other]
        different += [words[:500] for words in wrong]
    return different


def answers_of_node(web: Path, vectors: Path) -> tuple[str, list[dict[str, Any]]]:
    """Return who checks ML-DSA-44 in Node, and its answers; web: where the verifier is."""
    command = [node(), web / FOLDER / "run_vectors.mjs", vectors]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    first, *answers = map(json.loads, done.stdout.removesuffix("\n").split("\n"))
    return first["mldsa"], answers


def test_the_core_gives_the_verdicts_expected(verdicts: Verdicts) -> None:
    """Each case says what it is made for, and the core agrees."""
    codes = [answer["code"] for answer in verdicts.answers]
    pairs = zip(verdicts.cases, codes, strict=True)
    assert [f"{case['id']}: {code}" for case, code in pairs if code != case.get("expect", code)] == []
    assert {op: count for op, count in Counter(case["op"] for case in verdicts.cases).items() if count < 5} == {}


def test_node_gives_the_same_verdicts(verdicts: Verdicts) -> None:
    """Node runs web/verifier/ over all of them, and says what the core says."""
    mldsa, answers = answers_of_node(ROOT, verdicts.path)
    assert [one["id"] for one in answers] == [case["id"] for case in verdicts.cases]
    assert mldsa in ("native", "library")
    assert differences(zip(verdicts.cases, answers, verdicts.answers, strict=True)) == []


def test_node_without_the_library(verdicts: Verdicts, tmp_path: Path) -> None:
    """Without the library for ML-DSA-44, and where Node lacks it too, such signatures count as not there.

    Only cases that could ask for it are run: what the others do has nothing to do with that file.
    """
    for folder in (Path("web"), FOLDER):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "web" / "verifier" / "mldsa.js").unlink()
    chosen = [at for at, case in enumerate(verdicts.cases) if case["op"] in SIGNED]
    cases = [verdicts.cases[at] for at in chosen]
    path = tmp_path / "vectors.json"
    path.write_text(json.dumps({"cases": cases, "logs": {}}))
    mldsa, answers = answers_of_node(tmp_path, path)
    assert mldsa in ("native", "")
    assert any(verdicts.without[at]["code"] != verdicts.answers[at]["code"] for at in verdicts.without)
    expected = verdicts.answers if mldsa else [verdicts.without.get(at, one) for at, one in enumerate(verdicts.answers)]
    assert differences(zip(cases, answers, [expected[at] for at in chosen], strict=True)) == []


def test_chromium_gives_the_same_verdicts(chromium: Chromium, verdicts: Verdicts) -> None:
    """Chromium runs all vectors, ML-DSA-44 included where it has it, and says what the core says."""
    files = {f"web/{name}": data for name, data in PAGE.items()}
    files["tests/web/operations.js"] = (ROOT / FOLDER / "operations.js").read_bytes()
    files |= {"blank.html": b"<!doctype html><title>vectors</title>", "vectors": verdicts.path.read_bytes()}
    with site(chromium, files) as one:
        one.page.goto(f"{one.server.url}blank.html")
        mldsa, answers = one.page.evaluate(
            """async () => {
                const { mldsa, run } = await import("/tests/web/operations.js");
                const { cases, ...shared } = await (await fetch("/vectors")).json();
                const answers = [];
                for (const one of cases) answers.push(await run(one, shared));
                return [await mldsa(), JSON.stringify(answers)];
            }"""
        )
    assert mldsa in ("native", "library")
    assert differences(zip(verdicts.cases, json.loads(answers), verdicts.answers, strict=True)) == []
    print(f"ML-DSA-44: {mldsa}")
