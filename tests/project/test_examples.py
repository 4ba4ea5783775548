"""The scripts of `examples/`: each does what it says on a log that the first one made, and refuses what is wrong."""

from __future__ import annotations

import ast
import re
import runpy
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tiles
from tiles.notes.checkpoint import parse_signed_checkpoint, with_signatures
from tiles.notes.cosignature import cosign
from tiles.notes.keys import SignatureType
from tiles.records.paths import INBOX

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PUBLIC_MODULES = ("tiles.tree.", "tiles.notes.")
LINES = 40  # of an example, at most

ENTRIES = ("the first entry", "the second entry")


class Example:
    """Runs the examples in an empty directory, for a user who keeps everything there."""

    def __init__(self, directory: Path, capture: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self._capture = capture
        self._patch = patch
        patch.chdir(directory)
        for kind in ("CONFIG", "STATE", "CACHE"):
            patch.setenv(f"XDG_{kind}_HOME", str(directory / "home" / kind))

    def __call__(self, name: str, *arguments: str) -> list[str]:
        """Run an example that has to succeed, and return the lines that it printed."""
        self._capture.readouterr()
        self._patch.setattr(sys, "argv", [f"{name}.py", *arguments])
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
        out, err = self._capture.readouterr()
        assert err == ""
        return out.splitlines()

    def fail(self, name: str, *arguments: str) -> str:
        """Run an example that has to end by saying what is wrong, and return that."""
        with pytest.raises(SystemExit) as end:
            self(name, *arguments)
        assert self._capture.readouterr().out == ""
        assert isinstance(end.value.code, str)  # Python prints it, and ends with exit code 1
        return end.value.code


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Example:
    """Return what runs an example, in a fresh directory."""
    return Example(tmp_path, capsys, monkeypatch)


@pytest.fixture
def vkey(run: Example) -> str:
    """Return the vkey of a log at `log` that the first example made of ENTRIES."""
    *entries, last = run("append_and_publish", "log", *ENTRIES)
    assert entries == [
        f"entry {index} is {text!r}, its proof is log-{index}.tlog-proof" for index, text in enumerate(ENTRIES)
    ]
    printed = re.fullmatch(r"the log has 2 entries; its vkey is (\S+)", last)
    assert printed
    return printed[1]


def test_append_and_publish_goes_on(run: Example, vkey: str) -> None:
    """A second call appends to the same log, by the same key."""
    assert run("append_and_publish", "log", "a third") == [
        "entry 2 is 'a third', its proof is log-2.tlog-proof",
        f"the log has 3 entries; its vkey is {vkey}",
    ]


def test_verify_offline(run: Example, vkey: str) -> None:
    """A proof of an entry verifies without the log; another entry does not."""
    Path("log").rename("elsewhere")
    arguments = ("log-1.tlog-proof", "the second entry", vkey)
    assert run("verify_offline", *arguments) == ["verified: entry 1 of 2 in examples.example.com"]
    assert run.fail("verify_offline", "log-1.tlog-proof", "another entry", vkey).startswith("not verified: ")


def test_follow_a_log(run: Example, vkey: str) -> None:
    """Each call prints what is new; a log that is not append-only is found out, and nothing of it is printed."""
    assert run("follow_a_log", "log", vkey, "position") == ["0: b'the first entry'", "1: b'the second entry'"]
    run("append_and_publish", "log", "a third")
    assert run("follow_a_log", "log", vkey, "position") == ["2: b'a third'"]
    assert run("follow_a_log", "log", vkey, "position") == []

    shutil.copy("log.key", "other.key")
    run("append_and_publish", "other", *"abcd")
    assert "the log is wrong" in run.fail("follow_a_log", "other", vkey, "position")


def test_check_a_checkpoint(run: Example, vkey: str) -> None:
    """A checkpoint is accepted with the cosignatures that the policy asks for, and not without them."""
    served = parse_signed_checkpoint(Path("log/checkpoint").read_bytes())
    witness = tiles.signing_key("witness.example.com", bytes(32), SignatureType.COSIGNATURE)
    Path("policy").write_text(f"log {vkey}\nwitness w {witness.verifier.vkey}\nquorum w\n")
    signatures = [*served.note.signatures, cosign(served.checkpoint, witness, 1_700_000_000)]
    Path("cosigned").write_bytes(with_signatures(served.checkpoint, signatures).data)
    assert run("check_a_checkpoint", "cosigned", "policy") == [
        "examples.example.com has 2 entries, signed by examples.example.com",
        "cosigned by witness.example.com at 2023-11-14 22:13:20 UTC",
    ]
    assert run.fail("check_a_checkpoint", "log/checkpoint", "policy").startswith("not accepted: quorum w is not met")


def test_submit_and_wait(vkey: str) -> None:
    """What is submitted waits in the inbox; once somebody with the key has sequenced it, its index is printed.

    The log has an equal entry already, which is not the one that was submitted.
    """
    key_file = Path("log.key")
    signer = tiles.Signer(tiles.read_key(key_file), tiles.anchor_store(key_file))
    log = tiles.Log(tiles.public_store("log"), tiles.private_store("log"), signer)
    command = [sys.executable, str(EXAMPLES / "submit_and_wait.py"), "log", "ann", ENTRIES[0], vkey]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        submitted = process.stdout.readline()
        deadline = time.monotonic() + 60
        while not log.sequence().took:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert submitted.startswith(f"submitted as {INBOX}ann/")
    assert out == "logged as entry 2\n"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_examples_are_short_and_use_what_is_promised(path: Path) -> None:
    """An example imports `tiles` and the modules that are public beside it, and fits on a screen; a test runs it."""
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [str(node.module)]
        else:
            continue
        for name in names:
            is_public = name == "tiles" or f"{name}.".startswith(PUBLIC_MODULES)
            assert is_public or name.partition(".")[0] in sys.stdlib_module_names, name
    assert f"python examples/{path.name} " in text
    assert re.search(rf'"{path.stem}(?:\.py)?"', Path(__file__).read_text(encoding="utf-8"))
