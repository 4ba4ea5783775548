"""Submitting: one object, by who may only create; a receipt; waiting until the public log has it; the command."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.command_line import Command
from tests.support.world import World
from tiles.entries.file_digest import digest_entry
from tiles.errors import AccessError, Malformed, NotFound, OutcomeUnknown, PolicyError, UsageError
from tiles.inbox.admission import OPEN, Admission, admit
from tiles.inbox.submission import Name, format_submission, parse_name, parse_submission
from tiles.inbox.submit import (
    PAUSE,
    NotLogged,
    Receipt,
    SubmissionUnknown,
    _Search,
    format_receipts,
    pack,
    parse_receipt,
    parse_receipts,
    submit,
    wait_until_logged,
)
from tiles.notes.keys import parse_vkey, signing_key
from tiles.notes.policy import policy_for
from tiles.notes.tlog_proof import parse_tlog_proof, verify_tlog_proof
from tiles.read.client import LogClient
from tiles.store import Differs, Listed, Object, StoreFetcher, Version
from tiles.store.directory import DirectoryStore
from tiles.store.memory import MemoryStore
from tiles.tree.merkle import leaf_hash
from tiles.user import places
from tiletree.commands import submit as command
from tiletree.opening import open_sequencer
from tiletree.options import Writer

LOG = "https://log.example.com"
NONCE = bytes(range(16))
NAME = Name("ann", NONCE.hex(), "0" * 64)
LEAVES = (leaf_hash(b"one"), leaf_hash(b""))
TEXT = (
    b"tiletree-receipt/v1\n"
    b"log https://log.example.com\n"
    b"submission ann/000102030405060708090a0b0c0d0e0f-" + b"0" * 64 + b"\n"
    b"leaf " + LEAVES[0].hex().encode() + b"\n"
    b"leaf " + LEAVES[1].hex().encode() + b"\n"
)


# ---- the receipt


def test_the_text_of_a_receipt() -> None:
    """A receipt is exactly these bytes: it is kept, and read by another version."""
    receipt = Receipt(LOG, NAME, LEAVES)
    assert receipt.data == TEXT
    assert parse_receipt(TEXT) == receipt


@given(
    st.lists(
        st.tuples(
            st.text(min_size=1).filter(lambda text: text.isprintable() and text == text.strip(" ")),
            st.lists(st.binary(max_size=3), min_size=1, max_size=4),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_receipts_round_trip(many: list[tuple[str, list[bytes]]]) -> None:
    """Whatever was submitted, its receipts are read back, one or several in a file."""
    receipts = [Receipt(log, NAME, tuple(map(leaf_hash, entries))) for log, entries in many]
    assert parse_receipts(format_receipts(receipts)) == receipts
    assert parse_receipt(receipts[0].data) == receipts[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"/v1", b"/v2"),
        (b"log https", b"LOG https"),
        (b"log https://log.example.com", b"log "),
        (b"log https", b"log  https"),
        (b".com\n", b".com \n"),
        (b".com\n", b".com\xe2\x80\xae\n"),
        (b"log https://log.example.com\n", b""),
        (b"submission ann", b"submission Ann"),
        (b"submission ann", b"submission inbox/ann"),
        (b"leaf", b"leaf "),
        (b"leaf", b"hash"),
        (LEAVES[1].hex().encode(), LEAVES[1].hex().upper().encode()),
        (LEAVES[1].hex().encode(), LEAVES[1].hex()[:-1].encode()),
        (b"\nleaf", b"\n\nleaf"),
        (b"\n", b"\r\n"),
        (TEXT[-20:], TEXT[-20:-1]),
        (TEXT[TEXT.index(b"leaf") :], b""),
        (TEXT, b""),
    ],
)
def test_almost_a_receipt_is_malformed(old: bytes, new: bytes) -> None:
    """One wrong thing each."""
    assert old in TEXT
    with pytest.raises(Malformed):
        parse_receipt(TEXT.replace(old, new, 1))


@given(st.binary() | st.builds(bytes.__add__, st.just(TEXT), st.binary()))
@example(TEXT + b"\n")
@example(TEXT + b"\n" + TEXT + b"\n")
def test_arbitrary_bytes_give_receipts_or_our_error(data: bytes) -> None:
    """Bytes that nobody wrote give Malformed, or receipts whose text they are."""
    try:
        receipts = parse_receipts(data)
    except Malformed:
        return
    assert format_receipts(receipts) == data


@pytest.mark.parametrize(("log", "leaves"), [("", LEAVES), ("a\nb", LEAVES), (" a", LEAVES), (LOG, ())])
def test_what_no_receipt_can_say(log: str, leaves: tuple[bytes, ...]) -> None:
    """Values that have no text are a wrong call."""
    with pytest.raises(UsageError):
        Receipt(log, NAME, leaves)  # type: ignore[arg-type]


# ---- as few objects as possible


@given(
    st.lists(st.lists(st.binary(max_size=40), max_size=8), max_size=8),
    st.integers(1, 6),
    st.integers(64 + 42, 64 + 200),
)
@example([[bytes(40)] * 2], 6, 64 + 42)  # which two of them are not within, for their header
def test_packing(chunks: list[list[bytes]], most: int, size: int) -> None:
    """Nothing is lost or moved, each object is admitted, and no two neighbours would do as one."""
    admission = Admission(max_submission_bytes=size, max_entries=most)
    packed = list(pack(chunks, admission))
    assert [entry for entries in packed for entry in entries] == [entry for chunk in chunks for entry in chunk]
    for entries in packed:
        data = format_submission(entries)
        assert admit(Name("a", NONCE.hex(), sha256(data).hexdigest()).text, data, admission) == entries
    for entries, following in pairwise(packed):
        assert len(entries) == most or len(format_submission([*entries, following[0]])) > size - 64


def test_usual_entries_go_into_one_object() -> None:
    """65,536 entries are one object of the policy that logs have; one more makes it two."""
    assert [len(entries) for entries in pack([[b"x" * 200] * 65_537])] == [65_536, 1]
    assert [len(entries) for entries in pack([[bytes(65_535)] * 257])] == [255, 2]


# ---- submitting


class CreateOnly(MemoryStore):
    """A store that lets one create, and nothing else."""

    def read(self, path: str, limit: int | None = None) -> Object:
        raise AccessError(f"{path}: not allowed to read it, nor {limit} bytes")

    def swap(self, path: str, data: bytes, expected: Version | None) -> Version:
        raise AccessError(f"{path}: not allowed to replace {expected} by {data!r}")

    def list(self, prefix: str) -> Iterator[Listed]:
        raise AccessError(f"{prefix}: not allowed to list it")

    def delete(self, paths: Iterable[str]) -> None:
        raise AccessError(f"{paths}: not allowed to delete them")


def test_one_object_is_created_and_nothing_else_done() -> None:
    """Permission to create is enough; the receipt names the object and its entries."""
    private = CreateOnly()
    receipt = submit(private, "ann", [b"one", b""], NONCE, log=LOG)
    assert (receipt.log, receipt.leaves) == (LOG, LEAVES)
    data = MemoryStore.read(private, receipt.name.path).data
    assert parse_submission(data) == [b"one", b""]
    assert receipt.name == Name("ann", NONCE.hex(), sha256(data).hexdigest())
    assert [listed.path for listed in MemoryStore.list(private, "")] == [receipt.name.path]
    assert admit(receipt.name.text, data, OPEN) == [b"one", b""]
    assert submit(private, "ann", [b"one", b""], NONCE, log=LOG) == receipt  # the very same object


def test_it_is_made_to_last() -> None:
    """A submission that was answered outlives a power cut."""
    order = []

    class Recording(MemoryStore):
        def create(self, objects: Mapping[str, bytes]) -> None:
            order.append("create")
            super().create(objects)

        def barrier(self) -> None:
            order.append("barrier")

    submit(Recording(), "ann", [b"one"], NONCE, log=LOG)
    assert order == ["create", "barrier"]


@pytest.mark.parametrize(
    ("submitter", "entries", "nonce"),
    [("Ann", [b""], NONCE), ("", [b""], NONCE), ("a/b", [b""], NONCE), ("ann", [], NONCE), ("ann", [b""], b"short")],
)
def test_wrong_calls_create_nothing(submitter: str, entries: list[bytes], nonce: bytes) -> None:
    """A name, entries or a nonce that cannot be are a wrong call, before anything is created."""
    private = MemoryStore()
    with pytest.raises(UsageError):
        submit(private, submitter, entries, nonce, log=LOG)
    assert not list(private.list(""))


class Failing(MemoryStore):
    """A store whose create, or barrier, fails, whether or not the object is there then."""

    def __init__(self, error: Exception, at: str) -> None:
        super().__init__()
        self.error = error
        self.at = at

    def create(self, objects: Mapping[str, bytes]) -> None:
        super().create(objects)
        if self.at == "create":
            raise self.error

    def barrier(self) -> None:
        raise self.error


@pytest.mark.parametrize("at", ["create", "barrier"])
@pytest.mark.parametrize(
    "error", [AccessError("not allowed to read it", hint="look at what is allowed"), OutcomeUnknown("no answer")]
)
def test_what_is_not_known_is_neither_success_nor_loss(error: AccessError, at: str) -> None:
    """An answer that does not say what happened is told as that, with what to look for before trying again."""
    private = Failing(error, at)
    with pytest.raises(SubmissionUnknown, match=r"^it is not known whether inbox/ann/.* was created: ") as unknown:
        submit(private, "ann", [b"one"], NONCE, log=LOG)
    receipt = unknown.value.receipt
    assert receipt.leaves == LEAVES[:1]
    assert [listed.path for listed in private.list("inbox/")] == [receipt.name.path]
    assert error.message in unknown.value.message
    assert error.hint in unknown.value.hint
    assert "look for the entries in the log before you submit them again" in unknown.value.hint


@pytest.mark.parametrize("error", [NotFound("no such bucket"), Differs("inbox/x", b"", b"")])
def test_what_is_known_is_said_as_it_is(error: Exception) -> None:
    """Where there is no bucket nothing was created; another content under that name is corruption."""
    with pytest.raises(type(error)) as raised:
        submit(Failing(error, "create"), "ann", [b"one"], NONCE, log=LOG)
    assert raised.value is error


# ---- waiting


@given(st.lists(st.sampled_from("ab"), min_size=1, max_size=5), st.lists(st.sampled_from("ab"), max_size=30), st.data())
def test_the_search_finds_the_first(wanted: list[str], row: list[str], data: st.DataObject) -> None:
    """Whatever repeats in what is wanted, and however the row is cut, the first place is found."""
    hashes = [leaf_hash(letter.encode()) for letter in row]
    search = _Search([leaf_hash(letter.encode()) for letter in wanted], 7)
    found = None
    at = 0
    while at < len(row) and found is None:
        end = data.draw(st.integers(at + 1, len(row)))
        found = search.see(hashes[at:end])
        at = end
    place = "".join(row).find("".join(wanted))
    assert found == (None if place < 0 else 7 + place)


class Waiting:
    """Somebody waits for a log that goes on meanwhile."""

    def __init__(self, *steps: Callable[[], None]) -> None:
        self.world = World().grown(300)
        self.steps = iter(steps)
        self.fetcher = StoreFetcher(self.world.stores["public"])
        self.client = LogClient(self.fetcher, policy_for(self.world.verifier))
        self.now = 0.0
        self.pauses: list[float] = []
        self.visits = 0
        visit = self.client.visit
        self.client.visit = lambda: self._count() or visit()  # type: ignore[method-assign,func-returns-value]

    def _count(self) -> None:
        self.visits += 1

    def sleep(self, seconds: float) -> None:
        """Let one step happen."""
        self.pauses.append(seconds)
        self.now += seconds
        assert len(self.pauses) < 1000
        next(self.steps, lambda: None)()

    def wait(self, entries: list[bytes], since: int = 300, timeout: float = 600.0) -> list[int]:
        """Wait for entries."""
        receipt = Receipt(LOG, NAME, tuple(map(leaf_hash, entries)))
        return wait_until_logged(
            self.client, receipt, since, timeout, clock=lambda: self.now, sleep=self.sleep, rng=random.Random(1)
        )


def test_waiting_until_it_is_logged() -> None:
    """The entries are found in order, wherever others' are, once they are published; pauses are not all alike."""
    waiting = Waiting()
    append = waiting.world.append
    waiting.steps = iter(
        [
            lambda: None,
            lambda: append([b"x", b"one"]),
            lambda: append([b"other"] * 300),
            lambda: append([b"one", b"x", b"one", b"two"]),
        ]
    )
    assert waiting.wait([b"one", b"two"]) == [604, 605]
    assert waiting.client.tree.size == 606
    assert waiting.client.prove(605).index == 605
    assert len(set(waiting.pauses)) == 4
    assert all(PAUSE[0] <= pause <= PAUSE[1] for pause in waiting.pauses)


def test_entries_across_two_looks() -> None:
    """What is found is found even if only its beginning was there at the last look."""
    waiting = Waiting()
    append = waiting.world.append
    waiting.steps = iter([lambda: append([b"a", b"a"]), lambda: append([b"a", b"b"])])
    assert waiting.wait([b"a", b"a", b"b"]) == [301, 302, 303]


def test_what_was_there_before_is_not_taken_for_it() -> None:
    """Only what was added since counts: the same entry may have been logged long ago."""
    waiting = Waiting()
    waiting.world.append([b"one"])
    assert waiting.wait([b"one"], since=300) == [300]
    with pytest.raises(NotLogged):
        waiting.wait([b"one"], since=301)


def test_the_time_to_wait_is_kept() -> None:
    """After the timeout it is said what is known, with exit code 4's error; the receipt stays good."""
    waiting = Waiting()
    with pytest.raises(NotLogged) as late:
        waiting.wait([b"one"], timeout=20.0)
    assert waiting.now == 20.0
    assert late.value.message == f"{NAME.path} is not in the log so far, up to its entry 300"
    assert "keep the receipt" in late.value.hint
    waiting.world.append([b"one"])
    assert waiting.wait([b"one"], timeout=0.0) == [300]


def test_without_time_it_looks_once() -> None:
    """A timeout of zero is one look."""
    waiting = Waiting()
    with pytest.raises(NotLogged):
        waiting.wait([b"one"], timeout=0.0)
    assert (waiting.visits, waiting.pauses) == (1, [])


def test_a_log_that_cannot_be_read_is_tried_again() -> None:
    """A server that is away for a while does not end the waiting; at the end its error is told."""
    waiting = Waiting()
    public = waiting.world.stores["public"]
    checkpoint = public.read("checkpoint").data

    def back() -> None:
        public.create({"checkpoint": checkpoint})
        waiting.world.append([b"one"])

    public.delete(["checkpoint"])
    waiting.steps = iter([lambda: None, back])
    assert waiting.wait([b"one"]) == [300]
    public.delete(["checkpoint"])
    with pytest.raises(NotLogged, match=r"entry 300; .*checkpoint: not found$"):
        waiting.wait([b"two"], timeout=10.0)


def test_an_old_copy_is_looked_through_once() -> None:
    """A smaller checkpoint than the last one, from a cache, is no trouble."""
    waiting = Waiting()
    public = waiting.world.stores["public"]
    old = public.read("checkpoint").data
    waiting.world.append([b"zero"])
    new = public.read("checkpoint").data

    def put(data: bytes) -> None:
        public.delete(["checkpoint"])
        public.create({"checkpoint": data})

    def grow() -> None:
        put(new)
        waiting.world.append([b"one"])

    waiting.steps = iter([lambda: put(old), grow])
    assert waiting.wait([b"one"]) == [301]


def test_a_log_that_is_wrong_ends_the_waiting() -> None:
    """What no sound log says is an error at once."""
    waiting = Waiting()
    stranger = LogClient(waiting.fetcher, policy_for(signing_key("example.com/other", bytes(32)).verifier))
    waiting.client.visit = stranger.visit  # type: ignore[method-assign]
    with pytest.raises(PolicyError):
        waiting.wait([b"one"])
    assert waiting.pauses == []


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
        open_sequencer("log", Writer(key=Path("k"))).sequence()

    monkeypatch.setattr(command, "wait_until_logged", partial(wait_until_logged, sleep=sleep))
    return made


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
    for directory in ("sub", "proofs"):
        Path(directory).mkdir()
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
        "submit", "log", "a", "b", "--submitter", "ann", "--wait", "--vkey", log, "-o", "proofs", "--receipt", "r"
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
    done = tiletree("submit", "log", "a", "--submitter", "ann", "--wait", "--vkey", log)
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


def test_wait_in_vain(tiletree: Command, log: str) -> None:
    """After --timeout: exit code 4, what is known, and the receipt."""
    done = tiletree("submit", "log", "a", "--submitter", "ann", "--wait", "--timeout", 0, "--vkey", log)
    assert done.code == 4
    assert "is not in the log so far" in done.err
    receipt = parse_receipt(done.out.encode())
    assert [name for name, _ in submitted()] == [receipt.name.text]
    assert not Path("a.tlog-proof").exists()
    failed = tiletree("submit", "log", "a", "--submitter", "ann", "--wait", "--timeout", 0, "--vkey", log, "--json")
    assert failed.code == 4
    assert failed.json["logged"] is False
    assert failed.json["error"]["kind"] == "NotLogged"
    assert parse_receipt(failed.json["receipt"].encode()).leaves == receipt.leaves


def test_a_log_that_cannot_be_verified_gets_nothing(tiletree: Command, log: str) -> None:
    """With --wait the log is read before anything is submitted: one that is not the one meant gets nothing."""
    other = signing_key("example.com/other", bytes(32)).verifier.vkey
    done = tiletree("submit", "log", "a", "--submitter", "ann", "--wait", "--vkey", other)
    assert done.code == 1
    assert not submitted()


class Unanswered(DirectoryStore):
    """A store that creates, and whose answer is lost; reading back is denied."""

    def create(self, objects: Mapping[str, bytes]) -> None:
        super().create(objects)
        raise AccessError("not allowed to read it")


def test_what_is_not_known_is_said(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where storage does not say that the object is there: exit code 3, and a receipt of what may be there."""
    monkeypatch.setattr(places, "DirectoryStore", Unanswered)
    done = tiletree("submit", "log", "a", "--submitter", "ann")
    assert done.code == 3
    assert "it is not known whether inbox/ann/" in done.err
    assert "before you submit them again" in done.err
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
        patched.setattr(command, "_inbox", lambda *_: Unanswered(Path("log.private")))
        done = tiletree("submit", "log", "a", "--submitter", "ann", "--wait", "--vkey", log)
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
    receipt = parse_receipt(
        tiletree("submit", "https://log.example.com/", "a", "--submitter", "ann", "--private", "in").out.encode()
    )
    assert receipt.log == "https://log.example.com"
    assert [str(path.relative_to("in")) for path in Path("in/inbox").rglob("*") if path.is_file()] == [
        parse_name(receipt.name.text).path
    ]
