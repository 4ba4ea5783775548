"""The command `submit`: what it puts into an inbox, what it prints, and what it waits for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.command_line import Command
from tiles.entries.file_digest import digest_entry
from tiles.errors import AccessError
from tiles.inbox.receipt import parse_receipt, parse_receipts
from tiles.inbox.submission import parse_name, parse_submission
from tiles.inbox.submit import wait_until_logged
from tiles.notes.keys import parse_vkey, signing_key
from tiles.notes.policy import policy_for
from tiles.notes.tlog_proof import parse_tlog_proof, verify_tlog_proof
from tiles.signing.key_place import parse_key_place
from tiles.store import directory
from tiles.store.directory import DirectoryStore
from tiles.tree.merkle import leaf_hash
from tiletree import colours
from tiletree.commands import submit as command
from tiletree.opening import open_sequencer
from tiletree.options import Writer

# ---- the command


def submitted(log: str = "log") -> list[tuple[str, list[bytes]]]:
    """Return what is in a log's inbox: names below it, and entries."""
    private = DirectoryStore(Path(f"{log}.private"))
    return [
        (listed.path.removeprefix("inbox/"), parse_submission(private.read(listed.path).data))
        for listed in private.list("inbox/")
    ]


def digest(data: bytes) -> bytes:
    """Return the digest entry of a file's content."""
    return digest_entry(sha256(data).hexdigest(), len(data))


@pytest.fixture
def pauses(log: str, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Sequence the log whenever `submit --wait` pauses; return the pauses."""
    made: list[float] = []

    def sleep(seconds: float) -> None:
        made.append(seconds)
        open_sequencer("log", Writer(key=parse_key_place("k"))).sequence()

    monkeypatch.setattr(command, "wait_until_logged", partial(wait_until_logged, sleep=sleep))
    return made


@pytest.mark.parametrize("arguments", [["typo"], ["log", "--private", "typo.private"]])
def test_an_inbox_that_is_not_there(tiletree: Command, log: str, arguments: list[str]) -> None:
    """A mistyped log, or private part, gets no submission: one that no run ever looks into would be lost."""
    done = tiletree("submit", *arguments, "a", "--submitter", "ann")
    assert done.code == 3
    assert "there is no" in done.err
    assert "typo" in done.err
    assert not done.out
    assert not list(Path().glob("typo*"))


def test_submit_prints_a_receipt(tiletree: Command, log: str) -> None:
    """What `add` would log is in one object of the inbox, and the receipt says so."""
    Path("empty").write_bytes(b"")
    done = tiletree("submit", "log", "a", "empty", "--submitter", "ann")
    assert (done.code, done.err) == (0, "")
    receipt = parse_receipt(done.out.encode())
    entries = [digest(b"content of a\n"), digest(b"")]
    assert submitted() == [(receipt.name.text, entries)]
    assert receipt.leaves == tuple(map(leaf_hash, entries))
    assert receipt.log == str(Path("log").resolve())
    assert receipt.name.submitter == "ann"


def test_submit_json(tiletree: Command, log: str) -> None:
    """`submit --json` has submitter, submissions, entries, receipt, logged."""
    document = tiletree.ok("submit", "log", "a", "--submitter", "ann")
    assert list(document) == ["submitter", "submissions", "entries", "receipt", "logged"]
    ((name, entries),) = submitted()
    assert document["submissions"] == [{"name": name, "entries": 1}]
    assert document["entries"] == [{"leaf_hash": leaf_hash(entries[0]).hex(), "name": "a"}]
    assert parse_receipt(document["receipt"].encode()).name.text == name
    assert document["logged"] is False


@pytest.mark.parametrize(
    ("arguments", "stdin", "entries"),
    [
        (["a", "--raw"], b"", [b"content of a\n"]),
        (["-"], b"content of a\n", [digest(b"content of a\n")]),
        (["--stdin-lines"], b"one\r\n\nthree", [b"one\r", b"", b"three"]),
        (["--lines", "a"], b"", [b"content of a"]),
    ],
)
def test_what_is_logged_is_what_add_logs(
    tiletree: Command, log: str, arguments: list[str], stdin: bytes, entries: list[bytes]
) -> None:
    """Files by digest or raw, lines of a file or of standard input."""
    tiletree.ok("submit", "log", *arguments, "--submitter", "ann", stdin=stdin)
    assert [found for _, found in submitted()] == [entries]


def test_many_lines_are_few_objects(tiletree: Command, log: str) -> None:
    """Above what one object may have there are more, each in the receipt; 1,000 entries are listed, no more."""
    lines = b"x\n" * 65_537
    document = tiletree.ok("submit", "log", "--stdin-lines", "--submitter", "ann", "--receipt", "r", stdin=lines)
    assert [submission["entries"] for submission in document["submissions"]] == [65_536, 1]
    assert document["receipt_path"] == "r"
    assert "entries" not in document
    receipts = parse_receipts(Path("r").read_bytes())
    assert {receipt.name.text: len(receipt.leaves) for receipt in receipts} == {
        name: len(entries) for name, entries in submitted()
    }


def test_nothing_to_submit(tiletree: Command, log: str) -> None:
    """Empty input makes no object, and no receipt."""
    done = tiletree("submit", "log", "--stdin-lines", "--submitter", "ann", "--receipt", "r")
    assert (done.code, done.out) == (0, "")
    assert "nothing to submit" in done.err
    assert not submitted()
    assert not Path("r").exists()
    assert tiletree.ok("submit", "log", "--stdin-lines", "--submitter", "ann", "--wait", "--vkey", log) == {
        "submitter": "ann",
        "submissions": [],
        "entries": [],
        "logged": False,
    }


def test_the_submitter_is_the_login_name(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --submitter the login name is it, if it can be one."""
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(variable, "bob")
    assert tiletree.ok("submit", "log", "a")["submitter"] == "bob"
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(variable, "DOMAIN\\Bob")
    done = tiletree("submit", "log", "a")
    assert done.code == 2
    assert "choose one with --submitter" in done.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "name files, or --lines, or --stdin-lines"),
        (["a", "--stdin-lines"], "name files, or --lines, or --stdin-lines"),
        (["a", "-o", "proofs"], "-o is for proofs of files, which --wait writes"),
        (["--lines", "a", "--wait", "-o", "proofs"], "-o is for proofs of files, which --wait writes"),
        (["a", "--submitter", "Ann"], "'Ann' cannot be the name of a submitter"),
        (["a", "--receipt", "b"], "nothing was submitted"),
        (["a", "--receipt", "no/where"], "nothing was submitted"),
        (["long", "--raw"], "more than the 65535 bytes"),
        (["a", "sub/a", "--wait", "-o", "proofs"], "two files would have the proof"),
        (["b", "--wait", "-o", "proofs"], "b.tlog-proof is there already; nothing was submitted"),
    ],
)
def test_wrong_calls_submit_nothing(tiletree: Command, log: str, arguments: list[str], says: str) -> None:
    """A wrong call is told before anything is submitted, and overwrites nothing."""
    for folder in ("sub", "proofs"):
        Path(folder).mkdir()
    Path("sub/a").write_bytes(b"another")
    Path("long").write_bytes(bytes(65_536))
    Path("proofs/b.tlog-proof").write_bytes(b"kept")
    done = tiletree("submit", "log", "--submitter", "ann", "--vkey", log, "--timeout", 0, *arguments)
    assert done.code == 2
    assert says in done.err
    assert not submitted()
    assert Path("b").read_bytes() == b"content of b\n"
    assert Path("proofs/b.tlog-proof").read_bytes() == b"kept"


def test_a_line_that_is_too_long(tiletree: Command, log: str) -> None:
    """Before it, whole objects may have been submitted: the receipt says which."""
    lines = b"x\n" * 65_537 + bytes(65_536) + b"\n"
    done = tiletree("submit", "log", "--stdin-lines", "--submitter", "ann", stdin=lines)
    assert done.code == 2
    assert "line 65538 is longer than the 65535 bytes" in done.err
    assert "the receipt says what was submitted before" in done.err
    assert [parse_receipt(done.out.encode()).name.text] == [name for name, _ in submitted()]
    failed = tiletree("submit", "log", "--stdin-lines", "--submitter", "ann", "--json", stdin=lines)
    assert failed.json["submissions"][0]["entries"] == 65_536
    assert failed.json["error"]["kind"] == "UsageError"


def test_wait(tiletree: Command, log: str, pauses: list[float]) -> None:
    """`--wait` ends once the log is published: indexes, and a proof of each file that verifies."""
    Path("proofs").mkdir()
    document = tiletree.ok(
        "submit",
        "log",
        "--again",
        "a",
        "b",
        "--submitter",
        "ann",
        "--wait",
        "--vkey",
        log,
        "-o",
        "proofs",
        "--receipt",
        "r",
    )
    assert len(pauses) == 1
    assert (document["logged"], document["size"]) == (True, 4)
    assert document["submissions"][0]["first_index"] == 2
    assert [(entry["index"], entry["name"], entry["proof"]) for entry in document["entries"]] == [
        (2, "a", "proofs/a.tlog-proof"),
        (3, "b", "proofs/b.tlog-proof"),
    ]
    assert tiletree("verify", "a", "--proof", "proofs/a.tlog-proof", "--vkey", log).code == 0
    proof = parse_tlog_proof(Path("proofs/b.tlog-proof").read_bytes())
    verify_tlog_proof(proof, leaf_hash(digest(b"content of b\n")), policy_for(parse_vkey(log)))
    assert parse_receipts(Path("r").read_bytes())[0].name.text == document["submissions"][0]["name"]
    assert not submitted()


def test_wait_in_words(tiletree: Command, log: str, pauses: list[float]) -> None:
    """Each entry's index, leaf hash and name, then what was written; for many entries where they are."""
    done = tiletree("submit", "log", "--again", "a", "--submitter", "ann", "--wait", "--vkey", log)
    leaf = leaf_hash(digest(b"content of a\n")).hex()
    assert (done.code, done.out) == (0, f"2  {leaf}  a\nwrote a.tlog-proof\n")
    many = tiletree(
        "submit", "log", "--stdin-lines", "--submitter", "ann", "--wait", "--vkey", log, stdin=b"x\n" * 1001
    )
    assert (many.code, many.out) == (0, "3 to 1003  1001 entries\n")


def test_wait_of_several_objects(tiletree: Command, log: str, pauses: list[float]) -> None:
    """Every one of the objects is waited for, and said where it is."""
    lines = b"x\n" * 65_537
    done = tiletree.ok("submit", "log", "--stdin-lines", "--submitter", "ann", "--wait", "--vkey", log, stdin=lines)
    assert sorted(submission["entries"] for submission in done["submissions"]) == [1, 65_536]
    assert all(submission["first_index"] >= 2 for submission in done["submissions"])
    assert done["logged"] is True


def test_what_is_waited_for(tiletree: Command, log: str, pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal shows that the log is waited for, for how long at most, and for how long so far."""
    monkeypatch.setattr(colours, "is_terminal", lambda _: True)
    done = tiletree("submit", "log", "--again", "a", "--submitter", "ann", "--wait", "--timeout", 60, "--vkey", log)
    label = "waiting until the log has published it, 60 seconds at most"
    assert f"{label}  0\r" in done.err
    assert done.err.endswith(f"{label}  {int(sum(pauses))}\n")


def test_a_private_part_of_another_log(tiletree: Command, log: str) -> None:
    """With --wait, both logs are named before anything is submitted; who may not read the head is not told."""
    tiletree.ok("init", "other", "--origin", "other.example.com", "--key", "k2")
    words = ("submit", "log", "a", "--again", "--submitter", "ann", "--vkey", log, "--wait", "--timeout", 0)
    done = tiletree(*words, "--private", "other.private")
    assert done.code == 2
    assert "log is the log log.example.com, and " in done.err
    assert "other.private is the private part of other.example.com; nothing was submitted" in done.err
    assert not submitted("other")
    Path("other.private/head").write_bytes(b"what cannot be read")
    assert tiletree(*words, "--private", "other.private").code == 8
    assert len(submitted("other")) == 1


def test_wait_in_vain(tiletree: Command, log: str) -> None:
    """After --timeout: exit code 8, what is known, and the receipt."""
    done = tiletree("submit", "log", "--again", "a", "--submitter", "ann", "--wait", "--timeout", 0, "--vkey", log)
    assert done.code == 8
    assert "is not in the log so far" in done.err
    receipt = parse_receipt(done.out.encode())
    assert [name for name, _ in submitted()] == [receipt.name.text]
    assert not Path("a.tlog-proof").exists()
    failed = tiletree(
        "submit", "log", "--again", "a", "--submitter", "ann", "--wait", "--timeout", 0, "--vkey", log, "--json"
    )
    assert failed.code == 8
    assert failed.json["logged"] is False
    assert failed.json["error"]["kind"] == "NotLogged"
    assert parse_receipt(failed.json["receipt"].encode()).leaves == receipt.leaves


def test_a_log_that_cannot_be_verified_gets_nothing(tiletree: Command, log: str) -> None:
    """With --wait the log is read before anything is submitted: one that is not the one meant gets nothing."""
    other = signing_key("example.com/other", bytes(32)).verifier.vkey
    done = tiletree("submit", "log", "--again", "a", "--submitter", "ann", "--wait", "--vkey", other)
    assert done.code == 1
    assert not submitted()


class Unanswered(DirectoryStore):
    """A store that creates, and whose answer is lost; reading back is denied."""

    def create(self, objects: Mapping[str, bytes]) -> None:
        super().create(objects)
        raise AccessError("not allowed to read it")


def test_what_is_not_known_is_said(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where storage does not say that the object is there: exit code 3, and a receipt of what may be there."""
    monkeypatch.setattr(directory, "DirectoryStore", Unanswered)
    done = tiletree("submit", "log", "a", "--submitter", "ann")
    assert done.code == 3
    assert "it is not known whether inbox/ann/" in done.err
    assert "what is in the log by then is not logged a second time" in done.err
    assert [parse_receipt(done.out.encode()).name.text] == [name for name, _ in submitted()]
    kept = tiletree("submit", "log", "a", "--submitter", "ann", "--receipt", "r", "--json")
    assert kept.json["error"]["kind"] == "SubmissionUnknown"
    assert kept.json["receipt_path"] == "r"
    assert len(parse_receipts(Path("r").read_bytes())) == 1


def test_waiting_tells_what_was_not_known(
    tiletree: Command, log: str, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --wait the log tells whether the object was there; but not of entries that were not even sent."""
    with monkeypatch.context() as patched:
        patched.setattr(command, "inbox_of", lambda *_: Unanswered(Path("log.private")))
        done = tiletree("submit", "log", "--again", "a", "--submitter", "ann", "--wait", "--vkey", log)
        assert done.code == 0
        assert "the log will tell" in done.err
        assert done.out.startswith("2  ")
        lines = b"x\n" * 65_537
        half = tiletree("submit", "log", "--stdin-lines", "--submitter", "ann", "--wait", "--vkey", log, stdin=lines)
    assert half.code == 3
    assert len(parse_receipts(half.out.encode())) == 1


def test_a_log_behind_a_server_needs_its_private_part_named(tiletree: Command, log: str) -> None:
    """A URL that is only read says nothing of where to submit."""
    done = tiletree("submit", "https://log.example.com", "a", "--submitter", "ann")
    assert done.code == 2
    assert "name it with --private" in done.err
    Path("in").mkdir()
    receipt = parse_receipt(
        tiletree("submit", "https://log.example.com/", "a", "--submitter", "ann", "--private", "in").out.encode()
    )
    assert receipt.log == "https://log.example.com"
    assert [str(path.relative_to("in")) for path in Path("in/inbox").rglob("*") if path.is_file()] == [
        parse_name(receipt.name.text).path
    ]


def test_what_is_there_already(tiletree: Command, log: str, pauses: list[float]) -> None:
    """`--wait` says where it is, with a proof, and waits for nothing; the sequencer does not log it again."""
    done = tiletree.ok("submit", "log", "b", "--submitter", "ann", "--wait", "--vkey", log)
    assert pauses == []
    assert [(each["index"], each["already"], each["proof"]) for each in done["entries"]] == [(1, True, "b.tlog-proof")]
    assert tiletree("verify", "b", "--proof", "b.tlog-proof", "--vkey", log).code == 0
    assert parse_receipt(done["receipt"].encode()).once
    Path("new").write_bytes(b"new")
    both = tiletree.ok("submit", "log", "new", "a", "--submitter", "ann", "--wait", "--vkey", log)
    assert [(each["index"], "already" in each) for each in both["entries"]] == [(2, False), (0, True)]
    assert len(pauses) == 1
    assert tiletree.ok("sequence", "log", "--key", "k")["size"] == 3


def test_how_often_it_was_there(tiletree: Command, log: str) -> None:
    """`sequence` says how many entries it did not log again."""
    Path("new").write_bytes(b"new")
    tiletree.ok("submit", "log", "a", "b", "new", "--submitter", "ann")
    document = tiletree.ok("sequence", "log", "--key", "k")
    assert (document["already"], document["size"]) == (2, 3)
    tiletree.ok("submit", "log", "a", "--submitter", "ann")
    assert "1 entries of submissions that were in the log already" in tiletree("sequence", "log", "--key", "k").out
