"""Names: what begins a log goes through every command; what cannot is refused before anything is there."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.command_line import Command
from tiles.errors import UsageError
from tiles.notes.keys import MAX_LOG_NAME, check_origin, signing_key
from tiles.signing.key_file import write_key
from tiles.signing.signer import Signer
from tiles.store.memory import MemoryStore
from tiles.write.sequencer import Sequencer

REFUSED = (
    "",
    "log.exämple.com",
    "with space.example.com",
    "log.example.com\n",
    "log.example.com\t1",
    "a+b.example.com",
    "log.example.com\u200b",  # no space, and nothing that can be seen
    "log.example.com\u00ad",
    "\ufefflog.example.com",
    "log.example.com\u009b31m",
    "\ue000.example.com",
    "x" * (MAX_LOG_NAME + 1),
    "https://me:secret@log.example.com",
    "s3://bucket/log?sig=secret",
    "https://log.example.com#secret and more",
)
ACCEPTED = (
    "a",
    "-",
    "..",
    "/",
    "/".join("a" * 99),
    "log.example.com/%2F~!$&'()*,;=:@?#[]\"<>\\^`{|}",
    "x" * MAX_LOG_NAME,
)

_names = st.one_of(st.text(min_size=1, max_size=40), st.text(st.characters(min_codepoint=33, max_codepoint=126)))
_files = st.text(st.characters(exclude_characters="/\0", exclude_categories=["C"]), min_size=1, max_size=40)


@pytest.mark.parametrize("name", REFUSED)
def test_refused_before_anything_is_there(tiletree: Command, name: str) -> None:
    """By the command and by the library alike; neither a key nor a log nor anything beside them is left."""
    for arguments in (("init", "log", f"--origin={name}"), ("key", "generate", "--out", "k", "--", name)):
        done = tiletree(*arguments)
        assert done.code == 2, done
        assert list(tiletree.directory.rglob("*")) == []
    try:
        key = signing_key(name, bytes(32))
    except UsageError:
        return  # no key can have it
    with pytest.raises(UsageError):
        write_key(Path("k"), key)
    stores = [MemoryStore(role) for role in ("public", "private", "anchor")]
    with pytest.raises(UsageError):
        Sequencer(stores[0], stores[1], Signer(key, stores[2])).create()
    assert [listed for store in stores for listed in store.list("")] == []


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=_names, file=_files)
@example(name="log.exämple.com", file="ä b")
@example(name=ACCEPTED[4], file="-x")
@example(name=ACCEPTED[5], file="%2e%2e")
@example(name=ACCEPTED[6], file="..x")
@example(name="a", file="\u2028 \u00a0 ")
def test_what_is_accepted_goes_through(tiletree: Command, name: str, file: str) -> None:
    """A log whose origin was accepted is written, proven, verified and shown; and a page is put into it."""
    for left in tiletree.directory.iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    place = f"log {secrets.token_hex(4)} {file}"[:60]
    begun = tiletree("init", place, f"--origin={name}")
    try:
        check_origin(name)
    except UsageError:
        assert begun.code == 2
        return
    assert begun.code == 0, begun
    logged = Path("files", file)
    logged.parent.mkdir()
    try:
        logged.write_bytes(b"content")
    except OSError:  # more bytes than a name of a file can have
        return
    assert tiletree.ok("init", place, f"--origin={name}")["origin"] == name
    tiletree.ok("add", place, "--again", logged)
    vkey = tiletree.ok("info", place)["vkey"]
    tiletree.ok("prove", place, logged, "-o", "p")
    assert tiletree.ok("verify", logged, "--proof", "p", f"--vkey={vkey}")["origin"] == name
    tiletree.ok("submit", place, "--again", logged, "--submitter", "ann")
    assert tiletree.ok("sequence", place)["size"] == 2
    assert tiletree.ok("audit", place)["findings"] == []
    tiletree.ok("page", place)
    assert tiletree.ok("status", place)["origin"] == name


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(name: str) -> None:
    """Whatever an address could be made of."""
    check_origin(name)
