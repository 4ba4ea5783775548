"""`python -m tiletree.demo DIR FILE…`: a log of real files, from nothing to a refused forgery, in under a minute.

Every step is the command a user would type, run as a process of its own, and what it prints. It can be run again: what
is in the log already is not logged twice.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from tiletree.commands.serve import PORT
from tiletree.streams import standard_streams
from tiletree.ui import EXIT_USAGE, Output

ORIGIN = "demo.example.com"
RUNS = 3  # of `add`
_OUT = Output()
SHOWN = 4  # files of one `add` that are named


def main(arguments: list[str]) -> int:
    """Run the demo in a directory, with the files named, or with the command's own if none are."""
    if {"-h", "--help"} & set(arguments):
        for line in str(__doc__).strip().splitlines():
            _OUT.line(line)
        return 0
    log = Path(arguments[0] if arguments else "demo-log")
    named = [Path(name) for name in arguments[1:]]
    if missing := [str(path) for path in named if "*" not in path.name and not path.is_file()]:
        _OUT.error("UsageError", f"there is no file {missing[0]}", f"looked for from {Path.cwd()}")
        return EXIT_USAGE
    files = [path for path in named if path.is_file()] or _own_files()  # a pattern stays one if no file fits it
    with tempfile.TemporaryDirectory() as scratch:
        # the demo remembers nothing in the user's own directories
        os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_STATE_HOME"] = scratch
        _Demo(log, Path(scratch)).run(files)
    return 0


class _Demo:
    def __init__(self, log: Path, scratch: Path) -> None:
        self.log = log
        self.key = log.with_name(f"{log.name}.key")
        self.proof = log.with_name(f"{log.name}.tlog-proof")
        self.scratch = scratch
        self.vkey = ""

    def run(self, files: list[Path]) -> None:
        log, key, proof = self.log, self.key, self.proof

        if (log / "checkpoint").exists():
            say("There is a log from last time: beginning it again changes nothing, and no file is logged twice.")
        else:
            say("Begin a log: a key, and an empty checkpoint that is signed with it.")
        self.command("init", log, "--origin", ORIGIN, "--key", key)

        say("Whoever verifies needs the public half of the key, the vkey, and gets it from whoever runs the log.")
        self.vkey = self.command("key", "show", key, shown=f"VKEY=$(tiletree key show {shlex.quote(str(key))})").strip()

        several = (
            f"{len(files)} real files, in {RUNS} runs: each is logged by its digest. Between the runs nothing runs."
        )
        say(f"Log {several if len(files) > 1 else 'a real file: its digest is logged.'}")
        for part in (files[number::RUNS] for number in range(RUNS)):
            if part:
                self.command("add", log, *part, "--key", key)

        file = max(files, key=lambda path: path.stat().st_size)
        say(f"Prove that one of them, {file.name}, is in the log.")
        self.command("prove", log, file, "--vkey", self.vkey, "-o", proof)

        say("Verify that, offline: the file, the proof and the vkey are enough, and the log is not asked.")
        self.command("verify", file, "--proof", proof, "--vkey", self.vkey)

        say("Change one bit in a copy of the file. It is refused:")
        forged = self.scratch / f"forged-{file.name}"
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        forged.write_bytes(data)
        self.command("verify", forged, "--proof", proof, "--vkey", self.vkey, expect=1)

        say("Audit the log: read everything, and recompute it up to the signed root.")
        self.command("audit", log, "--vkey", self.vkey)

        say("Log the page as well, which is one file, verify.html: who keeps a copy can verify that it is the log's.")
        self.command("add", log, log / "verify.html", "--key", key)

        program, name = _program(), shlex.quote(str(log))
        _OUT.line("")
        _OUT.line(f"Now log a file of your own:  {program} add {name} FILE --key {shlex.quote(str(key))}")
        _OUT.line(f"See what is in the log, which is all that has to be served:  find {name} -type f")
        _OUT.line(f"See it in a browser, and drop a file there, such as {file}:  {program} serve {name}")
        if sys.stdin.isatty() and sys.stdout.isatty():
            self.serve()
        else:
            _OUT.line(f"It is at http://127.0.0.1:{PORT}/ then.")

    def serve(self) -> None:
        """Show the log to a browser until the person has seen enough."""
        _OUT.line("")
        with suppress(KeyboardInterrupt):
            subprocess.run([sys.executable, "-m", "tiletree", "serve", str(self.log)], check=False)  # noqa: S603

    def command(self, *arguments: object, shown: str = "", expect: int = 0) -> str:
        """Show and run one command, and what it says; return its output. Exits unless it ends as expected."""
        words = [str(argument) for argument in arguments]
        _OUT.line(f"$ {shown or self._shown(words)}")
        command = [sys.executable, "-m", "tiletree", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  our own command
        for line in [] if shown else f"{done.stdout}{done.stderr}".splitlines():
            _OUT.line(f"  {line}")
        if expect:
            _OUT.line(f"  (exit code {done.returncode})")
        if done.returncode != expect:
            sys.exit(f"{done.stderr if shown else ''}the demo stopped: exit code {done.returncode}, not {expect}")
        return done.stdout

    def _shown(self, words: list[str]) -> str:
        if (more := len(words) - 4 - SHOWN) > 0:  # `add LOG FILE… --key KEY`
            words = [*words[: 2 + SHOWN], f"… {more} more …", *words[-2:]]
        return " ".join(["tiletree", *map(self._quoted, words)])

    def _quoted(self, word: str) -> str:
        return '"$VKEY"' if word == self.vkey else word if word.startswith("…") else shlex.quote(word)


def say(text: str) -> None:
    """Print what comes next."""
    _OUT.line("")
    _OUT.line(f"# {text}")


def _program() -> str:
    """Return what a user types to run this very command, which may be in a virtual environment that is not active."""
    script = Path(sys.executable).with_name("tiletree")
    found = shutil.which("tiletree")
    if not script.exists() or (found and Path(found) == script):
        return "tiletree"
    return shlex.quote(os.path.relpath(script) if script.is_relative_to(Path.cwd()) else str(script))


def _own_files() -> list[Path]:
    package = Path(__file__).resolve().parent
    return sorted(path for path in package.rglob("*.py") if path.is_file())


if __name__ == "__main__":
    with standard_streams():
        sys.exit(main(sys.argv[1:]))
