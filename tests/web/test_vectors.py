"""The JavaScript verifier gives each vector the same verdict, with the same code, as the Python core."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.support.browser import Chromium
from tests.support.node import ROOT
from tests.support.web_verdicts import FOLDER, SIGNED, Verdicts, answers_of_chromium, answers_of_node, differences

pytest_plugins = ["tests.support.browser_fixture", "tests.support.web_fixtures"]


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


@pytest.mark.slow
def test_chromium_gives_the_same_verdicts(chromium: Chromium, verdicts: Verdicts) -> None:
    """Chromium runs all vectors, ML-DSA-44 included where it has it, and says what the core says."""
    mldsa, answers = answers_of_chromium(chromium, verdicts.path)
    assert mldsa in ("native", "library")
    assert differences(zip(verdicts.cases, answers, verdicts.answers, strict=True)) == []
    print(f"ML-DSA-44: {mldsa}")
