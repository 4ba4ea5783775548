"""Search proofs in JavaScript: the vectors of both languages, and what the page says of one that is dropped."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import Chromium, check_accessible, site
from tests.support.node import ROOT, node
from tests.support.sampling import quickly
from tests.support.search_proofs import holding, refused
from tests.support.signed_text import LOG
from tests.support.web_indexed import NAME, TWINS, twins
from tests.support.web_logs import POLICY, log_of
from tests.support.web_search_proofs import b64, proof
from tiles.notes.policy import policy_for
from tiles.page import VERIFY, verify_page
from tiles.tree.layout import CHECKPOINT

pytest_plugins = ["tests.support.browser_fixture"]

TWIN = hashlib.sha256(b"twin").digest()
ALL = [index for index in TWINS if index < 4096]


def answers(cases: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """Return what JavaScript says of each case."""
    path = folder / "cases.json"
    path.write_text(json.dumps({"cases": [{"id": at, **one} for at, one in enumerate(cases)], "logs": {}}))
    command = [node(), str(ROOT / "tests" / "web" / "run_vectors.mjs"), str(path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    return [json.loads(line) for line in said.splitlines()[1:]]


def test_a_proof(tmp_path: Path) -> None:
    """One that holds names all entries that have the key; one that leaves one out, or is of another key, does not."""
    whole = proof("sha256/1", TWIN, ALL)
    cases = [whole, proof("sha256/1", TWIN, ALL[:-1]), whole.replace(b64(TWIN).encode(), b64(bytes(32)).encode())]
    cases += [
        proof("sha256/1", bytes(32), []),
        proof("name/1", NAME.encode(), [100]),
        whole.replace(b"run 0", b"run 1"),
    ]
    cases += [whole.replace(b"\nrun 0", b"\nrun 00")]
    found = answers([{"op": "search_proof", "data": b64(one), "policy": b64(POLICY)} for one in cases], tmp_path)
    assert [(one["code"], one.get("value")) for one in found] == [
        ("ok", [str(index) for index in TWINS]),
        ("ProofError", None),
        ("ProofError", None),
        ("ok", []),
        ("ok", ["100", "4150"]),
        ("ProofError", None),
        ("Malformed", None),
    ]


def test_the_vectors(tmp_path: Path) -> None:
    """Python and JavaScript come to the same, rule by rule."""
    cases = {**holding(), **refused()}
    found = answers(
        [{"op": "search_proof", "data": b64(one.data), "policy": b64(one.policy.encode())} for one in cases.values()],
        tmp_path,
    )
    for (what, case), said in zip(cases.items(), found, strict=True):
        assert (what, said["code"]) == (what, case.expect)
        assert case.expect != "ok" or [int(index) for index in said["value"]] == list(case.hits), what


@pytest.mark.parametrize("path", quickly(["", VERIFY], [""]))
def test_on_the_page(chromium: Chromium, path: str) -> None:
    """A dropped search proof says which entries there are, and whose word it is that there are no others."""
    with site(chromium, {**twins(), VERIFY: verify_page(policy_for(LOG.verifier))}) as one:
        one.open(path=path)
        one.drop(("all.search-proof", proof("name/1", NAME.encode(), [100])))
        state, headline, text = one.said()
        assert (state, headline) == ("search-proof", "These are all 2 entries")
        assert "No other entry of the 4,200 has it." in text
        one.page.click("summary:has-text('How it is known')")
        assert "Of the first 4,096 entries the log says so in an index that it has signed." in one.said()[2]
        assert "<b>résumé<b>⟨U+202E⟩.txt" in text
        assert one.page.query_selector_all("img, b") == []
        rows = one.page.query_selector_all("#results [data-entry]")
        assert [row.get_attribute("data-entry") for row in rows] == ["4150", "100"]
        assert ("has the same history" in text) == (path == "")
        one.drop(("none", proof("sha256/1", bytes(32), [])))
        assert one.said()[1] == "None: no entry has it"
        one.drop(("altered", proof("sha256/1", TWIN, ALL[1:])))
        assert one.said()[:2] == ("search-wrong", "This search proof does not hold")
        if path:
            check_accessible(one.page)


@pytest.mark.slow
def test_what_is_not_in_an_index(chromium: Chromium) -> None:
    """Where all entries are in the proof, that there are no others follows from the tree head alone."""
    objects = {**log_of([b"one", b"two"]), "policy.txt": POLICY}
    text = b"tiletree/search-proof/v1\nkind name/1\nvalue YQ==\nentry b25l\nentry dHdv\n\n" + objects[CHECKPOINT]
    with site(chromium, objects) as one:
        one.open()
        one.drop(("none", text))
        assert one.said()[1] == "None: no entry has it"
        one.page.click("summary:has-text('How it is known')")
        said = one.said()[2]
        assert "All 2 entries are in this file, and were checked here" in said
