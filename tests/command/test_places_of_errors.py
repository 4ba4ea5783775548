"""Every command that finds an object which is not in its format says at which address it was found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import Command
from tiles.errors import AccessError
from tiles.store.memory import MemoryStore
from tiles.tree.layout import CHECKPOINT
from tiletree.keys import find_origin

# the object that is wrong, what is called, and its exit code
CALLS = [
    ("log/checkpoint", "add log a --key k", 4),
    ("log/checkpoint", "sequence log --key k", 4),
    ("log/checkpoint", "freeze log --yes --key k", 4),
    ("log/checkpoint", "key adopt log --yes --key k", 1),
    ("log/checkpoint", "info log --vkey VKEY", 1),
    ("log/checkpoint", "import log other --vkey VKEY --key o", 1),
    ("log.private/head", "add log a --key k", 4),
    ("log.private/head", "add log a", 4),  # which looks for the log's name first
    ("log.private/head", "status log --key k", 1),
    ("log.private/head", "gc log", 4),
    ("k.anchor/anchor", "add log a --key k", 4),
    ("k", "add log a --key k", 1),
    ("log/policy.txt", "page log", 1),
    ("log/policy.txt", "serve log --port 0", 1),
    ("log/policy.txt", "info log", 1),
    ("p", "verify a --proof p --vkey VKEY", 1),
]


@pytest.mark.parametrize(("wrong", "call", "code"), CALLS)
def test_the_address_is_said(tiletree: Command, log: str, wrong: str, call: str, code: int) -> None:
    """The message begins with the address of what is wrong, and does not repeat what is there."""
    tiletree.ok("init", "other", "--origin", "other.example.com", "--key", "o", "--no-page")
    tiletree.ok("key", "forget", "log")
    Path(wrong).write_bytes(b"what nobody meant to show\n")
    done = tiletree(*call.replace("VKEY", log).split())
    assert done.code == code, done
    assert done.err.startswith(f"tiletree: {wrong}: malformed "), done
    assert "what nobody meant" not in done.err


def test_a_log_without_a_head_is_looked_for_by_its_checkpoint() -> None:
    """What is plainly no checkpoint is called what it is."""
    public, private = MemoryStore(), MemoryStore()
    public.create({CHECKPOINT: b"<!doctype html><html></html>"})
    with pytest.raises(AccessError, match=r"/checkpoint is a web page \(HTML\)"):
        find_origin(public, private)
