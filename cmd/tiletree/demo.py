"""`python -m tiletree.demo DIR FILE…`: a log of real files, from nothing to a refused forgery, in under a minute.

Every step is the command a user would type, run as a process of its own. It can be run again: the log grows.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

ORIGIN = "demo.example.com/files"
RUNS = 3  # of `add`


def main(arguments: list[str]) -> int:
    """Run the demo in a directory, with the files named, or with the library's own if none are."""
    log = Path(arguments[0] if arguments else "demo-log")
    files = [Path(name) for name in arguments[1:] if Path(name).is_file()] or _own_files()
    key = log.with_name(f"{log.name}.key")
    with tempfile.TemporaryDirectory() as scratch:
        # the demo remembers nothing in the user's own directories
        os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_STATE_HOME"] = scratch
        _demonstrate(log, key, files, Path(scratch))
    return 0


def _demonstrate(log: Path, key: Path, files: list[Path], scratch: Path) -> None:
    say(f"a new log, {log}: a key, and an empty signed checkpoint")
    vkey = run("init", log, "--origin", ORIGIN, "--key", key)["vkey"]

    say(f"{len(files)} real files are logged by their digests, in {RUNS} runs")
    added: dict[str, int] = {}
    for part in (files[n::RUNS] for n in range(RUNS)):
        if part:
            entries = run("add", log, *part, "--key", key)["entries"]
            added |= {entry["name"]: entry["index"] for entry in entries}

    name, index = max(added.items(), key=lambda item: Path(item[0]).stat().st_size)
    proof = log.with_name(f"{log.name}.tlog-proof")
    say(f"a proof that {Path(name).name} is in the log, in one small file")
    run("prove", log, "--index", index, "--vkey", vkey, "-o", proof)

    say("anyone verifies it offline: the file, the proof, and the log's key are enough")
    run("verify", name, "--proof", proof, "--vkey", vkey)

    say("a copy with one bit flipped is refused")
    copy = scratch / Path(name).name
    data = bytearray(Path(name).read_bytes())
    data[len(data) // 2] ^= 1
    copy.write_bytes(data)
    run("verify", copy, "--proof", proof, "--vkey", vkey, expect=1)

    say("the audit reads everything and recomputes the root")
    run("audit", log, "--vkey", vkey)

    click.echo(f"\nNow log a file of your own:   tiletree add {log} FILE --key {key}")
    click.echo(f"or look around:               tiletree status {log} --key {key}   and   ls {log}")


def say(text: str) -> None:
    """Print what comes next."""
    click.echo(f"\n# {text}")


def run(*arguments: object, expect: int = 0) -> dict[str, Any]:
    """Show and run one command; return what it says with --json. Exits unless it ends as expected."""
    words = [str(argument) for argument in arguments]
    shown = words if len(words) < 9 else [*words[:4], f"… {len(words) - 6} more …", *words[-2:]]
    click.echo(f"$ tiletree {' '.join(word if word.startswith('…') else shlex.quote(word) for word in shown)}")
    command = [sys.executable, "-m", "tiletree", *words]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)  # noqa: S603  our own command
    if done.returncode != expect:
        sys.exit(f"{done.stdout}{done.stderr}the demo stopped: exit code {done.returncode}, not {expect}")
    document: dict[str, Any] = json.loads(done.stdout)
    for line in _summary(document):
        click.echo(f"  {line}")
    click.echo(f"  exit code {done.returncode}")
    return document


def _summary(document: dict[str, Any]) -> list[str]:
    lines = []
    for name, value in document.items():
        if name == "entries":
            lines += [f"{entry['index']:>6}  {Path(entry['name']).name}" for entry in value]
        elif name == "error":
            lines.append(value["message"])
        elif name not in {"ranges", "published"}:
            lines.append(f"{name}: {value if value != [] else 'none'}")
    return lines


def _own_files() -> list[Path]:
    package = Path(__file__).resolve().parent
    return sorted(path for path in package.rglob("*.py") if path.is_file())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
