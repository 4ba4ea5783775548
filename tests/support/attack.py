"""All that is hostile, in ten minutes: `make attack`. It prints what it tried, and what came of it.

Each part is a choice of tests, quick and slow ones; the last is a million damaged inputs for all parsers. What the time
is not enough for is named.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 600  # seconds for all of it
INPUTS, COVERED = 1_000_000, 60_000  # damaged inputs; those of them whose branches are counted
PARSERS = (
    *("tiles/notes/*", "tiles/records/*", "tiles/tree/bundle.py", "tiles/tree/tile.py", "tiles/tree/layout.py"),
    *("tiles/inbox/admission.py", "tiles/inbox/receipt.py", "tiles/inbox/submission.py", "tiles/signing/anchor.py"),
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
    """Run the tests of a part; return as `run` does, the text in one line if they passed."""
    options = ["-q", "--numprocesses", "auto", "--maxprocesses", "4", "--dist", "worksteal", "-m", "not interop"]
    code, said = run([sys.executable, "-m", "pytest", *options, *PARTS[part]], until, SOAK="full" * ("streams" in part))
    counted = re.findall(r"^\d+ .*(?:passed|failed|skipped).*$", said, flags=re.MULTILINE)
    return code, counted[-1] if code == 0 and counted else said


def fuzz(until: float) -> tuple[int | None, str]:
    """Parse damaged inputs; return as `run` does, the text in two lines if all went well."""
    program = ["-m", "tests.support.fuzzing"]
    code, said = run([sys.executable, *program, str(INPUTS)], until)
    if code != 0:
        return code, said
    counted = re.findall(r": (\d+) inputs, (\d+) accepted", said)
    inputs, accepted = (sum(int(pair[n]) for pair in counted) for n in (0, 1))
    measured = [sys.executable, "-m", "coverage", "run", "--branch", "--data-file=.coverage.attack", *program]
    code, said = run([*measured, str(COVERED)], until)
    report = ["report", "--data-file=.coverage.attack", f"--include={','.join(PARSERS)}", "--format=total"]
    if code == 0:
        code, said = run([sys.executable, "-m", "coverage", *report], until)
    Path(ROOT, ".coverage.attack").unlink(missing_ok=True)
    if code != 0:
        return code, said
    total = re.search(r"^\d+$", said, flags=re.MULTILINE)
    reached = f"{COVERED} of them reach {total[0] if total else '?'} % of the parsers, branches included"
    return 0, f"{inputs} distinct inputs, {accepted} accepted, 0 unexpected; {reached}"


def main() -> int:
    """Try all parts; return 0 if every one of them held, within the time."""
    until = time.monotonic() + LIMIT
    outcomes = []
    for part in [*PARTS, "a million damaged inputs"]:
        started = time.monotonic()
        code, said = tests(part, until) if part in PARTS else fuzz(until)
        outcomes.append(code)
        word = {0: "held", None: "NOT FINISHED"}.get(code, "FAILED")
        print(f"{word}: {part} ({time.monotonic() - started:.0f} s)\n    ", end="")
        print(said.strip().replace("\n", "\n    "), flush=True)
    return 0 if set(outcomes) == {0} else 1


if __name__ == "__main__":
    sys.exit(main())
