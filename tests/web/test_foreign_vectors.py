"""Other projects' cases get one verdict in Python, Node.js and Chromium, and the one that their project expects."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import Chromium
from tests.support.node import ROOT
from tests.support.web_answers import Case, Cases, answer
from tests.support.web_vector_foreign import add_to, wanted
from tests.support.web_verdicts import answers_of_chromium, answers_of_node, differences
from tiles.errors import Malformed
from tiles.tree.layout import parse_tile_path

pytest_plugins = ["tests.support.browser_fixture"]


@dataclass(frozen=True)
class Foreign:
    """Foreign cases with the ids of what was made of each; all that was made, in a file too, and the core's answers."""

    ids: list[tuple[dict[str, Any], list[str]]]
    cases: list[Case]
    path: Path
    answers: list[dict[str, Any]]

    def differing(self, theirs: list[dict[str, Any]]) -> list[str]:
        """Return where somebody's answers are not the core's."""
        return differences(zip(self.cases, theirs, self.answers, strict=True))


@pytest.fixture(scope="module")
def foreign(shared_vectors: Path, tmp_path_factory: pytest.TempPathFactory) -> Foreign:
    """Return the cases of other projects with the core's answers."""
    made = Cases()
    ids = [(one, [case["id"] for case in cases]) for one, cases in add_to(made, shared_vectors)]
    path = tmp_path_factory.mktemp("foreign") / "vectors.json"
    path.write_text(json.dumps({"logs": {}, "cases": made.cases}))
    return Foreign(ids, made.cases, path, [answer(case, {}) for case in made.cases])


def test_the_core_and_node_give_the_verdicts_wanted(foreign: Foreign) -> None:
    """Each case is asked for; the core gives the verdict that its project wants, and Node.js says the same."""
    answers = {case["id"]: one for case, one in zip(foreign.cases, foreign.answers, strict=True)}
    assert Counter(one["op"] for one, _ in foreign.ids) == {
        "ed": 914, "incl": 100, "cons": 99, "note": 63, "vkey": 28, "path": 8,
    }  # fmt: skip
    assert [one["name"] for one, ids in foreign.ids if not ids] == []
    wrong = []
    for one, ids in foreign.ids:
        allowed = wanted(one)
        wrong += [f"{at}: {answers[at]['code']}" for at in ids if allowed and answers[at]["code"] not in allowed]
        wrong += [at for at in ids if one["op"] == "path" and answers[at].get("value") == one["path"]]
    assert wrong == []
    _, theirs = answers_of_node(ROOT, foreign.path)
    assert foreign.differing(theirs) == []


def test_paths_of_another_format(foreign: Foreign) -> None:
    """The paths of Go's sumdb, whose tiles have a height, are refused."""
    for one, _ in foreign.ids:
        if one["op"] == "path":
            with pytest.raises(Malformed):
                parse_tile_path(one["path"])


@pytest.mark.slow
def test_chromium_gives_the_same_verdicts(chromium: Chromium, foreign: Foreign) -> None:
    """Chromium says the same."""
    _, theirs = answers_of_chromium(chromium, foreign.path)
    assert foreign.differing(theirs) == []
