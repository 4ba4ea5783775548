"""All that is hostile, in ten minutes: `make attack`. It prints what it tried, and what came of it.

The first part is a million damaged inputs for all parsers; each other part is a choice of tests, quick and slow ones.
What the time is not enough for is named. `make attack ARGS=1800` gives it half an hour, for a machine that is busy.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import tempfile
import textwrap
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 600  # seconds for all of it
INPUTS, HALVES = 1_000_000, 2  # damaged inputs, and how many processes divide them
FUZZING = "a million damaged inputs"
PARSERS = (
    *("tiles/notes/*", "tiles/records/*", "tiles/tree/bundle.py", "tiles/tree/tile.py", "tiles/tree/layout.py"),
    *("tiles/entries/file_digest.py", "tiles/entries/proof_extra.py"),
    *("tiles/inbox/admission.py", "tiles/inbox/receipt.py", "tiles/inbox/submission.py", "tiles/signing/anchor.py"),
    *("tiles/inbox/attachments.py", "tiles/inbox/rules.py"),
    "tiles/store/bounded_gzip.py",
)

# what is hostile → the tests
PARTS: dict[str, list[str]] = {
    "servers that lie, stall, cut or redirect": [
        "tests/read/test_http_fetcher_trouble.py",
        "tests/read/test_past_caches.py",
        "tests/read/test_redirects.py",
        "tests/read/test_trouble.py",
        "tests/read/test_fsspec_fetcher_trouble.py",
        "tests/read/test_client_tampering.py",
        "tests/tree/test_reader_tampering.py",
    ],
    "stores that look first, lose replies or fail": [
        "tests/store/test_probe_races.py",
        "tests/store/test_bucket_faults.py",
        "tests/store/test_bucket_errors.py",
        "tests/store/test_directory_faults.py",
    ],
    "submitters, and what they leave in an inbox": [
        "tests/scenarios/test_junk.py",
        "tests/scenarios/test_directory_inbox.py",
        "tests/scenarios/test_rights.py",
        "tests/inbox/test_reader_objects.py",
    ],
    "entries, names and credentials that are shown": [
        "tests/web/test_hostile_entries.py",
        "tests/web/test_unknown_keys.py",
        "tests/command/test_ui.py",
        "tests/command/test_credentials.py",
        "tests/scenarios/test_names.py",
    ],
    "streams that are closed, full or gone": ["tests/command/test_streams.py"],
    "clocks, locales, terminals, masks and limits": ["tests/command/test_odd_environments.py"],
    "users, links, owners and modes": ["tests/scenarios/test_users.py", "tests/store/test_folders.py"],
    "deaths at random moments": ["tests/scenarios/test_real_deaths.py", "tests/scenarios/test_full_disk.py"],
    "two machines, and storage that is copied, lost or put back": [
        "tests/scenarios/test_two_machines.py",
        "tests/command/test_lost.py",
    ],
}


def run(command: list[str], until: float, **environment: str) -> tuple[int | None, str]:
    """Run a program until then; return its exit code, None if the time was not enough, and what it printed."""
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=max(1.0, until - time.monotonic()),
        )
    except subprocess.TimeoutExpired as stopped:
        return None, (stopped.stdout or b"").decode(errors="replace")
    return done.returncode, done.stdout + done.stderr


def tests(part: str, until: float) -> tuple[int | None, str]:
    """Run the tests of a part; return as `run` does, the text of what they say they tried if they passed."""
    options = [
        "-q",
        "-rPs",
        "--numprocesses",
        "auto",
        "--maxprocesses",
        "4",
        "--dist",
        "worksteal",
        "-m",
        "not interop",
    ]
    code, said = run([sys.executable, "-m", "pytest", *options, *PARTS[part]], until, SOAK="full" * ("streams" in part))
    counted = re.findall(r"^\d+ .*(?:passed|failed|skipped).*$", said, flags=re.MULTILINE)
    return code, "\n".join([counted[-1], *tried(said)]) if code == 0 and counted else said


def tried(said: str) -> list[str]:
    """Return what tests say that they tried: "tried: …" as it is; "tried in a PLACE: KIND" as a list of the kinds.

    What was skipped is among it.
    """
    places: dict[str, set[str]] = defaultdict(set)
    for place, kind in re.findall(r"^tried in a (\w+): (.*)$", said, flags=re.MULTILINE):
        places[kind].add(place)
    by_places: dict[str, list[str]] = defaultdict(list)
    for kind, found in places.items():
        by_places[", ".join(sorted(found))].append(kind)
    lines = [f"{len(kinds)} in a {where}: {'; '.join(sorted(kinds))}" for where, kinds in sorted(by_places.items())]
    if places:
        lines.insert(0, f"{len(places)} kinds of junk, each beside a submission that is logged by the second run:")
    lines += sorted(set(re.findall(r"^tried: (.*)$", said, flags=re.MULTILINE)))
    lines += re.findall(r"^(SKIPPED \[\d+\] .*)$", said, flags=re.MULTILINE)
    return [part for line in lines for part in textwrap.wrap(line, 114, subsequent_indent="  ")]


def fuzz(until: float) -> tuple[int | None, str]:
    """Parse damaged inputs, in several processes; return as `run` does, the text in two lines if all went well."""
    coverage = [sys.executable, "-m", "coverage"]
    seed = str(random.SystemRandom().randrange(2**32))
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(HALVES) as pool:
        data = f"--data-file={folder}/attack"

        def one(half: int) -> tuple[int | None, str]:
            program = ["-m", "tests.support.fuzzing", str(INPUTS), seed, str(half), str(HALVES)]
            return run([*coverage, "run", "--branch", "--parallel-mode", data, *program], until)

        done = list(pool.map(one, range(HALVES)))
        said = "\n".join(output for _, output in done)
        if worse := [code for code, _ in done if code != 0]:
            return worse[0], said
        counted = [tuple(map(int, found)) for found in re.findall(r": (\d+) inputs, (\d+) accepted", said)]
        run([*coverage, "combine", "--quiet", data], until)
        report = ["json", "--quiet", data, f"--include={','.join(PARSERS)}", "-o", "-"]
        code, said = run([*coverage, *report], until)
    if code != 0:
        return code, said
    totals = json.loads(said)["totals"]
    inputs, accepted = map(sum, zip(*counted, strict=True))
    share = 100 * totals["covered_branches"] / totals["num_branches"]
    return 0, (
        f"{inputs} distinct inputs for {len(counted)} parsers and verdicts, seed {seed}: {accepted} accepted, "
        "0 unexpected\n"
        f"they reach {totals['covered_branches']} of {totals['num_branches']} branches ({share:.1f} %) and "
        f"{totals['covered_lines']} of {totals['num_statements']} statements of the modules that parse and judge"
    )


def main() -> int:
    """Try all parts; return 0 if every one of them held, within the time."""
    until = time.monotonic() + (int(sys.argv[1]) if len(sys.argv) > 1 else LIMIT)
    outcomes = []
    for part in [FUZZING, *PARTS]:
        started = time.monotonic()
        code, said = tests(part, until) if part in PARTS else fuzz(until)
        outcomes.append(code)
        word = {0: "held", None: "NOT FINISHED"}.get(code, "FAILED")
        print(f"{word}: {part} ({time.monotonic() - started:.0f} s)\n    ", end="")
        print(said.strip().replace("\n", "\n    "), flush=True)
    return 0 if set(outcomes) == {0} else 1


if __name__ == "__main__":
    sys.exit(main())
