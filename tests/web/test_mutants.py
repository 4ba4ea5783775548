"""Each step of the JavaScript verifier, broken, changes the answer to some vector."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.node import ROOT, node
from tests.support.reference import printed_random
from tests.support.sampling import soaking
from tests.support.web_vectors import vectors


@pytest.mark.slow
@pytest.mark.longest
def test_every_broken_step_is_noticed(tmp_path: Path) -> None:
    """tests/web/mutate.mjs breaks one step after the other; no mutant gives the answers of the code as it is.

    One in eight is tried, by a printed seed, or all.
    """
    every = soaking(8, 1)
    path = tmp_path / "vectors.json"
    path.write_text(json.dumps(vectors()))
    chosen = [str(every), str(printed_random().randrange(every))]
    command = [node(), ROOT / "tests" / "web" / "mutate.mjs", path, *chosen]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=3600)
    found = json.loads(done.stdout)
    assert found["survivors"] == []
    assert found["count"] > 90 // every
