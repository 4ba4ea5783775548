"""`submit --payload`: a file that somebody without the key has published beside its entry, if the log admits that."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.command_line import Command
from tiles.errors import AccessError
from tiles.inbox.receipt import parse_receipts
from tiles.inbox.submission import read_submission
from tiles.inbox.submit import wait_until_logged
from tiles.signing.key_place import parse_key_place
from tiles.store import directory
from tiles.store.directory import DirectoryStore
from tiletree.commands import submit as command
from tiletree.opening import open_sequencer
from tiletree.options import Writer

NEW, EMPTY = b"what is new\n", b""


@pytest.fixture
def admitting(tiletree: Command, log: str) -> str:
    """Let the log admit payloads of 20 bytes and fewer, and make files; return its vkey."""
    Path("policy").write_text("tiletree-admission/v1\nmax-payload-bytes 20\n", encoding="ascii")
    tiletree.ok("admission", "log", "--set", "policy", "--yes", "--key", "k")
    for name, content in {"new": NEW, "empty": EMPTY, "large": bytes(21)}.items():
        Path(name).write_bytes(content)
    return log


def submitted() -> list[Path]:
    """Return the objects in the inbox."""
    return [path for path in Path("log.private/inbox").rglob("*") if path.is_file()]


def published(log: str = "log") -> dict[str, bytes]:
    """Return what is published beside entries, by SHA-256."""
    return {path.name: path.read_bytes() for path in Path(log, "payload").rglob("*") if path.is_file()}


def by_digest(*contents: bytes) -> dict[str, bytes]:
    """Return contents by their SHA-256."""
    return {sha256(content).hexdigest(): content for content in contents}


def test_it_is_there_as_if_it_had_been_added(tiletree: Command, admitting: str) -> None:
    """What `add --payload` leaves is what `submit --payload` and `sequence` leave, and readers find it."""
    receipts = tiletree("submit", "log", "new", "empty", "--payload", "--submitter", "ann").out
    assert len(parse_receipts(receipts.encode())) == 2  # each file is a submission
    assert {read_submission(path.read_bytes()).attached[0].payload for path in submitted()} == {NEW, EMPTY}
    assert published() == {}
    done = tiletree.ok("sequence", "log", "--key", "k")
    assert (done["size"], done["refused"]) == (4, {})
    assert published() == by_digest(NEW, EMPTY)
    tiletree.ok("init", "other", "--origin", "other.example.com", "--key", "o")
    tiletree.ok("add", "other", "new", "empty", "--payload", "--key", "o")
    assert published("other") == published()
    for name, content in (("new", NEW), ("empty", EMPTY)):
        index = tiletree.ok("prove", "log", name, "--vkey", admitting, "-o", f"{name}.proof")["index"]
        found = tiletree.ok("get", "log", index, "--payload", "--vkey", admitting)
        assert b64decode(found["payload"]) == content
    assert tiletree("verify", "new", "--proof", "new.proof", "--vkey", admitting).code == 0


def test_wait(tiletree: Command, admitting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --wait, and --name: index and proof of each file; the file is there by then."""

    def sleep(_: float) -> None:
        open_sequencer("log", Writer(key=parse_key_place("k"))).sequence()

    monkeypatch.setattr(command, "wait_until_logged", partial(wait_until_logged, sleep=sleep))
    words = ("--payload", "--name", "--submitter", "ann", "--wait", "--vkey", admitting)
    document = tiletree.ok("submit", "log", "new", "empty", *words)
    assert [(each["index"], each["name"], each["proof"]) for each in document["entries"]] in (
        [(2, "new", "new.tlog-proof"), (3, "empty", "empty.tlog-proof")],
        [(3, "new", "new.tlog-proof"), (2, "empty", "empty.tlog-proof")],
    )
    assert published() == by_digest(NEW, EMPTY)
    assert tiletree("verify", "new", "--proof", "new.tlog-proof", "--vkey", admitting).code == 0


def test_what_the_policy_does_not_admit(tiletree: Command, admitting: str) -> None:
    """A file that is too large is refused, with its reason, and the one beside it is not; nothing of it is public."""
    tiletree.ok("submit", "log", "large", "new", "--payload", "--submitter", "ann")
    done = tiletree.ok("sequence", "log", "--key", "k")
    assert (done["size"], done["refused"]) == (3, {"ann": 1})
    (refusal,) = done["refusals"]
    assert refusal["reason"] == "entry 0 has a payload of 21 bytes, 20 is the most"
    kept = Path("log.private/rejected", refusal["name"]).read_text(encoding="ascii")
    assert kept == f"{refusal['name']} {refusal['reason']}\n"
    assert published() == by_digest(NEW)
    tiletree.ok("submit", "log", "large", "--submitter", "ann")  # without its content, a file of any size is admitted
    assert tiletree.ok("sequence", "log", "--key", "k")["size"] == 4


def test_a_log_publishes_nothing_unless_it_says_so(tiletree: Command, log: str) -> None:
    """The policy that a log has by itself admits no payload; without one, the same file is logged."""
    Path("new").write_bytes(NEW)
    done = tiletree("submit", "log", "new", "--payload", "--submitter", "ann", "--wait", "--timeout", 0, "--vkey", log)
    assert (done.code, "or have been refused" in done.err) == (8, True)
    said = tiletree("sequence", "log", "--key", "k")
    assert "entry 0 has a payload, and the policy has no max-payload-bytes that admits one" in said.out
    assert published() == {}
    tiletree.ok("submit", "log", "new", "--submitter", "ann")
    assert tiletree.ok("sequence", "log", "--key", "k")["size"] == 3


def test_something_else_in_its_place(tiletree: Command, admitting: str) -> None:
    """A run names the path, goes on with the rest, and logs the file once somebody has looked and deleted it."""
    (name,) = by_digest(NEW)
    tiletree.ok("submit", "log", "empty", "--payload", "--submitter", "ann")
    waits = tiletree("sequence", "log", "--key", "k", "--only", "commit")
    assert (waits.code, "wait because --only commit publishes no files, such as payload/" in waits.err) == (0, True)
    path = Path("log/payload/sha256", name)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"something else")
    tiletree.ok("submit", "log", "new", "--payload", "--submitter", "ann")
    done = tiletree("sequence", "log", "--key", "k", "--json")
    assert (done.code, done.json["size"], done.json["refused"]) == (0, 3, {})
    assert done.json["unpublished"] == [f"payload/sha256/{name}"]
    assert done.json["backlog"]["objects"] == 1
    assert f"such as payload/sha256/{name}: find out who wrote it, and delete it" in done.err
    path.unlink()
    assert tiletree.ok("sequence", "log", "--key", "k")["size"] == 4
    assert published() == by_digest(NEW, EMPTY)


WRONG = (
    (["a", "--payload", "--raw"], "--payload is for files whose digests are logged"),
    (["--lines", "a", "--payload"], "--payload is for files whose digests are logged"),
    (["--stdin-lines", "--payload"], "--payload is for files whose digests are logged"),
    (["a", "--payload", "--blind"], "--blind is for files whose digests are logged, without --name and --payload"),
    (["--bundle", "a", "--payload"], "--bundle goes with no files, lines, or options for them"),
    (["--payload"], "name files, or --lines, or --stdin-lines"),
    (["a", "huge", "--payload"], "huge has more than the 256 MiB that are stored of a file"),
    (["nowhere", "--payload"], "nowhere"),
)


def test_wrong_calls_submit_nothing(tiletree: Command, log: str) -> None:
    """What has no file, a file that nobody may see, and one that no log stores: told before anything is submitted."""
    with Path("huge").open("wb") as file:
        file.truncate((256 << 20) + 1)
    for arguments, says in WRONG:
        done = tiletree("submit", "log", "--submitter", "ann", *arguments)
        assert (done.code, says in done.err) == (2, True), (arguments, done.err)
    assert not submitted()


class Full(DirectoryStore):
    """A store that has room for one object."""

    created = 0

    def create(self, objects: Mapping[str, bytes]) -> None:
        Full.created += 1
        if Full.created > 1:
            raise AccessError("no space left on purpose")
        super().create(objects)


def test_a_submission_in_the_middle_that_fails(
    tiletree: Command, admitting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receipt says what was submitted before."""
    monkeypatch.setattr(directory, "DirectoryStore", Full)
    monkeypatch.setattr(Full, "created", 0)
    done = tiletree("submit", "log", "-", "new", "empty", "--payload", "--submitter", "ann", stdin=b"from stdin")
    assert done.code == 3
    first, unknown = parse_receipts(done.out.encode())
    assert [path.name for path in submitted()] == [first.name.text.removeprefix("ann/")]
    assert f"it is not known whether {unknown.name.path} was created" in done.err
