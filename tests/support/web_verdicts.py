"""The vectors and what the core says to them, made once for all processes of a test run."""

from __future__ import annotations

import fcntl
import json
import subprocess
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.browser import Chromium, site
from tests.support.node import ROOT, node
from tests.support.sampling import one_in
from tests.support.web_answers import Case, answer, without_mldsa
from tests.support.web_server import PAGE
from tests.support.web_vectors import vectors

SHARED = Path(__file__).resolve().parents[3] / "shared" / "vectors"
FOLDER = Path("tests", "web")  # what runs vectors in JavaScript
MANY = 300  # an operation with so many cases: a quick run takes a share of them
SIGNED = ("accept", "verify_proof")  # operations in which an ML-DSA-44 key may be asked for


@dataclass(frozen=True)
class Verdicts:
    """What every verifier is asked, and what the core says.

    path      of a JSON file with the cases and the logs that they name
    answers   the core's, a case each
    without   the core's by the index of the case, where ML-DSA-44 cannot be checked: for the operations of SIGNED
    """

    path: Path
    cases: list[Case]
    answers: list[dict[str, Any]]
    without: dict[int, dict[str, Any]]


def made(folder: Path, every: int) -> None:
    """Write vectors.json and answers.json into a folder; of each row of so many cases of an operation only one."""
    found = vectors(SHARED if SHARED.is_dir() else None)
    counts = Counter(case["op"] for case in found["cases"])
    many = [case for case in found["cases"] if counts[case["op"]] >= MANY]
    taken = {id(case) for case in one_in(every, many)}
    cases = [case for case in found["cases"] if counts[case["op"]] < MANY or id(case) in taken]
    found, logs = {**found, "cases": cases}, found["logs"]
    without = {
        str(at): answer(changed, logs)
        for at, case in enumerate(cases)
        if case["op"] in SIGNED and (changed := without_mldsa(case)) is not case
    }
    (folder / "vectors.json").write_text(json.dumps(found))
    (folder / "answers.json").write_text(json.dumps([[answer(case, logs) for case in cases], without]))


def verdicts_in(folder: Path, every: int) -> Verdicts:
    """Return the verdicts that are in a folder; whichever process comes first makes them; every: see `made`."""
    folder.mkdir(exist_ok=True)
    with (folder / "verdicts.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "answers.json").exists():
            made(folder, every)
    answers, without = json.loads((folder / "answers.json").read_bytes())
    path = folder / "vectors.json"
    cases = json.loads(path.read_bytes())["cases"]
    return Verdicts(path, cases, answers, {int(at): one for at, one in without.items()})


# ---- what JavaScript says


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


def answers_of_chromium(chromium: Chromium, vectors: Path) -> tuple[str, list[dict[str, Any]]]:
    """Return who checks ML-DSA-44 in Chromium, and its answers."""
    files = {f"web/{name}": data for name, data in PAGE.items()}
    files["tests/web/operations.js"] = (ROOT / FOLDER / "operations.js").read_bytes()
    files |= {"blank.html": b"<!doctype html><title>vectors</title>", "vectors": vectors.read_bytes()}
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
    return mldsa, json.loads(answers)
