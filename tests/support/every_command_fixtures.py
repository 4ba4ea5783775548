"""What runs the calls of `every_command`, and the log they are for; test files name this module in `pytest_plugins`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.signature_texts import DATA, stored
from tests.support.signatures import write_signatures
from tests.support.signed_bundles import write_bundle

if TYPE_CHECKING:
    from tests.support.command_line import Command
    from tests.support.forking_tiletree import Forks


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    """Return what runs commands in processes of their own."""
    from tests.support.forking_tiletree import Forks

    running = Forks()
    yield running
    running.end()


@pytest.fixture
def prepared(tiletree: Command, log: str) -> str:
    """Return the vkey of a log, beside one that may import it; one submission waits. Another log has `a`, signed."""
    tiletree.ok("init", "other", "--origin", "other.example.com", "--key", "o", "--no-page")
    tiletree.ok("key", "generate", "m.example.com", "--cosigner", "--out", "cosigner")
    tiletree.ok("key", "trust", "log", log)
    shutil.rmtree("log/page")  # `page` has something to do
    Path("admission").write_text("tiletree-admission/v1\nmax-entries 7\n")
    Path("policy").write_text(f"log {log}\nquorum none\n")
    Path("c").write_bytes("content of \u00e9\u2192\n".encode())
    Path("d").write_bytes(b"waits\n")
    write_signatures(b"content of a\n")
    Path("test").write_bytes(DATA)
    Path("ssh.pub").write_bytes(stored("ssh_ed25519.pub"))
    Path("ssh.sig").write_bytes(stored("ssh_ed25519.sig"))
    tiletree.ok("submit", "log", "d", "--submitter", "bob")
    write_bundle("bundle", Path("a").read_bytes())
    Path("gate").write_text("* key s.pub\n")
    Path("a.tlog-proof").write_bytes(Path("p").read_bytes())
    Path("list").write_text(f"{sha256(Path('a').read_bytes()).hexdigest()}  a\n")
    tiletree.ok("witness", "init", "w.conf", "--name", "w.example.com", "--state", "seen")
    tiletree.ok("witness", "begin", "w.conf", "log", "--vkey", log)
    return log
