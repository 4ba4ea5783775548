"""Damaged bundles of Sigstore: Node gives a verdict or an error of ours, and holds what the core holds."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.fuzzing import damage
from tests.support.node import ROOT
from tests.support.reference import printed_random
from tests.support.sampling import soaking
from tests.support.web_answers import Cases, answer, b64
from tests.support.web_bundles import signed_log
from tests.support.web_logs import FILE, POLICY
from tests.support.web_verdicts import answers_of_node

VALUES: list[Any] = [
    None,
    True,
    0,
    1,
    -1,
    1.5,
    2**64,
    "",
    "x",
    "0",
    "00",
    "-1",
    "1e1",
    str(2**63 - 1),
    str(2**63),
    "AA==",
    "AAA=",
]
VALUES += ["\u00e9", [], {}, [[]], [{}], {"a": 1}, "A" * 5000, "sha256"]
NAMES = ["x", "keyid", "rawBytes", "publicKey", "certificate", "integratedTime", "inclusionPromise", "__proto__"]


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each place in a JSON value: an object or list, and a name or index in it."""
    names = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for name in names:
        yield value, name
        yield from places(value[name])


def changed(data: bytes, rng: random.Random) -> bytes:
    """Return a JSON text with one value changed."""
    whole = json.loads(data)
    place, name = rng.choice(list(places(whole)))
    there, kind = place[name], rng.randrange(5)
    if kind == 0:
        del place[name]
    elif kind == 1 and isinstance(place, dict):
        place[rng.choice(NAMES)] = rng.choice(VALUES)
    elif kind == 2 and isinstance(there, str) and there:
        at = rng.randrange(len(there))
        place[name] = there[:at] + rng.choice("A/+=-_0 9\n") + there[at + rng.randrange(2) :]
    elif kind == 3 and isinstance(there, list):
        place[name] = there * 2
    else:
        place[name] = rng.choice(VALUES)
    return json.dumps(whole).encode()


@pytest.mark.slow
def test_damaged_bundles(tmp_path: Path) -> None:
    """What the core takes, Node takes, with the same value, and nothing else; what Node throws has a code."""
    rng, bundles, made = printed_random(), list(signed_log()[1].values()), Cases()
    for number in range(soaking(1500, 20_000)):
        data = (damage if number % 3 == 0 else changed)(rng.choice(bundles), rng)
        made.add("signed", None, "damaged", data=b64(data), artifact=b64(FILE), policy=b64(POLICY), key="")
    path = tmp_path / "vectors.json"
    path.write_text(json.dumps({"logs": {}, "cases": made.cases}))
    _, theirs = answers_of_node(ROOT, path)
    ours = [answer(case, {}) for case in made.cases]
    pairs = list(zip(made.cases, theirs, ours, strict=True))
    assert [one["code"] for _, one, _ in pairs if not one["code"].isalpha()] == []
    taken = [(case["data"], one, other) for case, one, other in pairs if "ok" in (one["code"], other["code"])]
    assert [each for each in taken if each[1].get("value") != each[2].get("value")] == []
    assert 5 <= len(taken) < len(pairs) / 2
