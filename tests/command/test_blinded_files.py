"""`add --blind` and `submit --blind`: found and proved by whoever has the secret, linked to the file by nobody else."""

from __future__ import annotations

import shutil
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.command_line import ORIGIN, Command
from tests.support.entry_texts import blinded
from tiles.entries.blinded import blinding
from tiles.entries.blinding_secret import read_secret, secret_at
from tiles.entries.file_digest import DigestEntry
from tiles.entries.proof_extra import parse_proof_extra
from tiles.errors import AccessError, Refused, UsageError
from tiles.inbox.submission import parse_submission
from tiles.inbox.submit import wait_until_logged
from tiles.notes.tlog_proof import parse_tlog_proof
from tiles.signing.key_place import parse_key_place
from tiles.store.directory import DirectoryStore
from tiles.tree.merkle import leaf_hash
from tiles.user.places import blinding_path, default_key_path
from tiletree.blinding import known_secrets
from tiletree.commands import submit as command
from tiletree.opening import open_sequencer
from tiletree.options import Writer

DATA = b"a private build\n"
FILE = DigestEntry(sha256(DATA).hexdigest(), len(DATA))
SECRET = Path("k.blinding")


@pytest.fixture
def hidden(tiletree: Command, log: str) -> str:
    """Return the vkey of a log whose entry 2 is the blinded one of the file `build`."""
    Path("build").write_bytes(DATA)
    done = tiletree("add", "log", "build", "--blind", "--key", "k")
    assert (done.code, "made the blinding secret k.blinding" in done.err) == (0, True)
    return log


def moved(*paths: Path) -> None:
    """Take secrets away, as if this were somebody else."""
    for path in paths:
        path.rename(f"{path}.away")


def test_what_is_logged(tiletree: Command, hidden: str) -> None:
    """The entry of the format, made with the secret beside the key; a retry is the same one, and says nothing more."""
    entry = blinded(FILE.data, blinding(read_secret(SECRET), FILE))
    assert tiletree("get", "log", "2", "--vkey", hidden).out.encode() == entry
    done = tiletree("add", "log", "-", "--blind", "--key", "k", "--json", stdin=DATA)
    assert done.err == ""
    assert done.json["entries"][0]["leaf_hash"] == leaf_hash(entry).hex()


def test_who_has_the_secret(tiletree: Command, hidden: str) -> None:
    """Finds the entry by the file, and the proof lets everybody who has the file verify, without the secret."""
    assert tiletree.ok("prove", "log", "build", "-o", "q", "--vkey", hidden)["index"] == 2
    said = parse_proof_extra(parse_tlog_proof(Path("q").read_bytes()).extra)
    assert said.blinding == blinding(read_secret(SECRET), FILE)
    moved(SECRET)
    assert tiletree.ok("verify", "build", "--proof", "q", "--vkey", hidden)["matched"] == "blinded"
    Path("build").write_bytes(DATA + b"x")
    assert tiletree("verify", "build", "--proof", "q", "--vkey", hidden).code == 1


def test_who_does_not_have_it(tiletree: Command, hidden: str) -> None:
    """Does not find the file, and cannot tell of an entry that it is the file's; another secret is of no use."""
    moved(SECRET)
    secret_at(SECRET)
    done = tiletree("prove", "log", "build", "--vkey", hidden)
    assert (done.code, "is not among the 3 entries" in done.err) == (8, True)
    tiletree.ok("prove", "log", "--index", "2", "-o", "q", "--vkey", hidden)
    assert tiletree("verify", "build", "--proof", "q", "--vkey", hidden).code == 1


def test_a_proof_that_does_not_say_how(tiletree: Command, hidden: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`prove --index` knows no file: who has the secret verifies all the same, if it is known where that is."""
    tiletree.ok("prove", "log", "--index", "2", "-o", "q", "--vkey", hidden)
    assert tiletree("verify", "build", "--proof", "q", "--vkey", hidden).code == 1
    with monkeypatch.context() as patch:
        patch.setenv("TILETREE_KEY", "k")
        assert tiletree.ok("verify", "build", "--proof", "q", "--vkey", hidden)["matched"] == "blinded"
    usual = blinding_path(default_key_path(ORIGIN))
    usual.parent.mkdir(parents=True)
    SECRET.rename(usual)
    assert tiletree.ok("verify", "build", "--proof", "q", "--vkey", hidden)["matched"] == "blinded"


def test_the_digest_comes_first(tiletree: Command, hidden: str) -> None:
    """A file that is logged for all to see, too, is proved by that."""
    tiletree.ok("add", "log", "build", "--key", "k")
    assert tiletree.ok("prove", "log", "build", "-o", "q", "--vkey", hidden)["index"] == 3
    assert parse_tlog_proof(Path("q").read_bytes()).extra == b""


def test_submitted(tiletree: Command, hidden: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The submitter has a secret of its own, the same for every log; `--wait` writes proofs that say all."""
    done = tiletree("submit", "log", "build", "--blind", "--submitter", "ann")
    secret = read_secret(blinding_path(None))
    assert (done.code, f"made the blinding secret {blinding_path(None)}" in done.err) == (0, True)
    assert secret != read_secret(SECRET)
    private = DirectoryStore(Path("log.private"))
    (one,) = private.list("inbox/")
    entry = blinded(FILE.data, blinding(secret, FILE))
    assert parse_submission(private.read(one.path).data) == [entry]

    def sleep(_seconds: float) -> None:
        open_sequencer("log", Writer(key=parse_key_place("k"))).sequence()

    monkeypatch.setattr(command, "wait_until_logged", partial(wait_until_logged, sleep=sleep))
    waiting = ("submit", "log", "b", "build", "--blind", "--submitter", "ann", "--wait", "--vkey", hidden)
    assert tiletree.ok(*waiting)["entries"][1]["leaf_hash"] == leaf_hash(entry).hex()
    moved(SECRET)
    assert tiletree.ok("prove", "log", "build", "-o", "q", "--vkey", hidden)["index"] == 3
    moved(blinding_path(None))
    for name, proof in (("build", "build.tlog-proof"), ("b", "b.tlog-proof"), ("build", "q")):
        assert tiletree.ok("verify", name, "--proof", proof, "--vkey", hidden)["matched"] == "blinded"


@pytest.mark.parametrize(
    "arguments", ["a --blind --raw", "a --blind --name", "--lines a --blind", "--stdin-lines --blind"]
)
def test_what_does_not_go_together(tiletree: Command, log: str, arguments: str) -> None:
    """What is blinded is a digest entry, which has no name; nothing is logged, and no secret made."""
    for call, who in (("add", ("--key", "k")), ("submit", ("--submitter", "ann"))):
        done = tiletree(call, "log", *arguments.split(), *who)
        assert (done.code, "--blind is for files whose digests are logged" in done.err) == (2, True), done
    assert tiletree("add", "log", "a", "--blind", "--payload", "--key", "k").code == 2
    assert tiletree.ok("info", "log", "--vkey", log)["size"] == 2
    assert not SECRET.exists()
    assert not blinding_path(None).exists()


@pytest.mark.parametrize(
    ("trouble", "code", "words"),
    [("readable", 4, "can be read by others"), ("damaged", 2, "is not a blinding secret, or is damaged")],
)
def test_a_secret_that_cannot_be_used(tiletree: Command, hidden: str, trouble: str, code: int, words: str) -> None:
    """Nothing is logged or looked for with it, and nothing said of what it is; what is found without it is found."""
    Path("raw").write_bytes(b"as it is")
    tiletree.ok("add", "log", "raw", "--raw", "--key", "k")
    text = SECRET.read_text()
    if trouble == "readable":
        SECRET.chmod(0o644)
    else:
        SECRET.write_text(text[:-2])
    blinding_path(None).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(SECRET, blinding_path(None))
    for call in ("add log build --blind --key k", "submit log build --blind --submitter ann", "prove log build"):
        done = tiletree(*call.split())
        assert (done.code, words in done.err) == (code, True), done
        assert text.split()[2] not in done.out + done.err
    for number, name in ((0, "a"), (3, "raw")):
        assert tiletree.ok("prove", "log", name, "-o", f"{name}.proof", "--vkey", hidden)["index"] == number
        tiletree.ok("verify", name, "--proof", f"{name}.proof", "--vkey", hidden)
    assert tiletree.ok("info", "log", "--vkey", hidden)["size"] == 4


def test_a_key_in_the_environment(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no file beside which a secret would last."""
    monkeypatch.setenv("TILETREE_PRIVATE_KEY", Path("k").read_text())
    done = tiletree("add", "log", "a", "--blind", "--anchor", "k.anchor")
    assert (done.code, "--blind keeps its secret beside the key file, and there is none" in done.err) == (2, True)


def test_which_secrets_are_tried(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log's own and the submitter's; one that cannot be read is said after the others; somebody else's is not."""
    own, submitters = secret_at(SECRET)[0], secret_at(blinding_path(None))[0]
    assert list(known_secrets("log", ORIGIN)) == [own, submitters]
    assert list(known_secrets(None, ORIGIN)) == [submitters]
    for reader in ("https://log.example.com", "memory://log", "zip://log::a.zip", "s3://bucket/log"):
        assert list(known_secrets(reader, ORIGIN)) == [submitters]
    SECRET.chmod(0o644)
    found = known_secrets("log", ORIGIN)
    assert next(found) == submitters
    with pytest.raises(Refused):
        next(found)
    monkeypatch.setenv("TILETREE_KEY", "nothing")
    assert list(known_secrets("log", ORIGIN)) == [submitters]
    monkeypatch.setenv("XDG_CONFIG_HOME", "/dev/null")
    assert list(known_secrets("log", ORIGIN)) == []
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError))
    monkeypatch.delenv("XDG_CONFIG_HOME")
    assert list(known_secrets(None, ORIGIN)) == []
    with pytest.raises(AccessError, match="no home directory"):
        blinding_path(None)


def test_a_configuration_of_somebody_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where this user may not look, nothing was kept for it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "tiletree").mkdir()
    (tmp_path / "tiletree" / "blinding").write_bytes(b"")
    (tmp_path / "tiletree" / "blinding").chmod(0o600)
    with pytest.raises(UsageError):
        list(known_secrets(None, ORIGIN))
    monkeypatch.setattr("tiletree.blinding.can_be_seen", lambda _path: False)
    assert list(known_secrets(None, ORIGIN)) == []
