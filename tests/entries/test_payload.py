"""Payloads: stored by their digest before their entry is logged, and read only if they are what the entry says."""

from __future__ import annotations

import io
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import pytest

import tiles.entries.payload
from tests.support.command_line import Command
from tests.support.faults import Faults
from tests.support.readers import Objects
from tests.support.rekor_log import artifact_key
from tests.support.world import NOW, World
from tiles.entries.file_digest import digest_entry
from tiles.entries.payload import MAX_PAYLOAD_SIZE, check_payload_size, fetch_payload, store_payload, store_signed
from tiles.errors import AccessError, NotFound, UsageError, VerificationError
from tiles.notes.policy import policy_for
from tiles.records.paths import payload_path
from tiles.sigstore.dsse import make_envelope, pae
from tiles.sigstore.hashedrekord import make_hashedrekord
from tiles.store import Differs, StoreFetcher
from tiles.store.memory import MemoryStore
from tiles.upkeep.audit import audit
from tiles.upkeep.gc import gc

DATA = b"content\n"
HEX = sha256(DATA).hexdigest()
PATH = f"payload/sha256/{HEX}"
ENTRY = digest_entry(HEX, len(DATA))


def test_store_and_fetch() -> None:
    """A file is stored at the path of its SHA-256; its entry leads back to it; the same again is done already."""
    store = MemoryStore()
    for data in (DATA, DATA, b""):
        entry = store_payload(store, io.BytesIO(data), "f")
        assert entry == digest_entry(sha256(data).hexdigest(), len(data))
        assert fetch_payload(StoreFetcher(store), entry) == data
    assert payload_path(HEX) == PATH
    assert [listed.path for listed in store.list("")] == sorted([PATH, payload_path(sha256(b"").hexdigest())])


def test_a_signed_statement() -> None:
    """Its entry leads to the envelope, and that of a signature over a file to the file."""
    store, key = MemoryStore(), artifact_key()
    envelope = make_envelope("t", DATA, key.sign_digest(sha256(pae("t", DATA)).digest()))
    store_signed(store, envelope)
    store_payload(store, io.BytesIO(DATA), "f")
    logged = make_hashedrekord(sha256(envelope.signed).digest(), envelope.signature, key.public).data
    assert fetch_payload(StoreFetcher(store), logged) == envelope.data
    plain = make_hashedrekord(sha256(DATA).digest(), b"signature", key.public).data
    assert fetch_payload(StoreFetcher(store), plain) == DATA
    wrong = Objects({payload_path(sha256(envelope.signed).hexdigest()): pae("t", b"else")})
    with pytest.raises(VerificationError, match="has SHA-256"):
        fetch_payload(wrong, logged)
    with pytest.raises(NotFound, match="not stored"):
        fetch_payload(Objects({}), logged)


def test_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """256 MiB are stored, and not one byte more; the hint says what to do instead."""
    assert MAX_PAYLOAD_SIZE == 256 * 1024 * 1024
    check_payload_size(MAX_PAYLOAD_SIZE, "f")
    with pytest.raises(UsageError, match="f has more than the 256 MiB") as caught:
        check_payload_size(MAX_PAYLOAD_SIZE + 1, "f")
    assert "leave out --payload" in caught.value.hint
    monkeypatch.setattr(tiles.entries.payload, "MAX_PAYLOAD_SIZE", 10)
    store = MemoryStore()
    store_payload(store, io.BytesIO(bytes(10)), "f")
    with pytest.raises(UsageError):
        store_payload(store, io.BytesIO(bytes(11)), "f")
    assert len(list(store.list(""))) == 1


def test_something_else_is_there() -> None:
    """What already has the payload's name and another content is not overwritten."""
    store = MemoryStore()
    store.create({PATH: b"another"})
    with pytest.raises(Differs):
        store_payload(store, io.BytesIO(DATA), "f")


@pytest.mark.parametrize("wrong", [b"", DATA[:-1], b"Content\n"])
def test_wrong_payloads(wrong: bytes) -> None:
    """What is stored is believed only if it has the digest and the size of the entry."""
    with pytest.raises(VerificationError, match=f"^test://log/{PATH} has"):
        fetch_payload(Objects({PATH: wrong}), ENTRY)
    for size in (len(DATA) - 1, len(DATA) + 1):
        with pytest.raises((VerificationError, AccessError)):
            fetch_payload(Objects({PATH: DATA}), digest_entry(HEX, size))


def test_no_payload() -> None:
    """A payload that is not stored is not found; an entry that is no digest has none."""
    with pytest.raises(NotFound, match="is not stored"):
        fetch_payload(Objects({}), ENTRY)
    objects = Objects({})
    with pytest.raises(NotFound, match="is not stored"):
        fetch_payload(objects, digest_entry(HEX, MAX_PAYLOAD_SIZE + 1))
    assert objects.asked == []
    with pytest.raises(UsageError, match="not the digest of a file"):
        fetch_payload(Objects({}), b"something")


def test_limit_of_reading() -> None:
    """No more is asked for than the entry says, and a byte."""
    asked = []

    class Limited(Objects):
        def fetch(self, path: str, limit: int) -> bytes:
            asked.append(limit)
            return super().fetch(path, limit)

    fetch_payload(Limited({PATH: DATA}), ENTRY)
    assert asked == [len(DATA) + 1]


def test_others_do_not_mind() -> None:
    """Payloads are no concern of audit and gc."""
    world = World().grown(300)
    public = world.stores["public"]
    world.append([store_payload(public, io.BytesIO(DATA), "f")])
    before = public.read(PATH)
    gc(public, world.stores["private"], now=NOW * 2, grace=0.0)
    assert public.read(PATH) == before
    tree = world.sequencer().finish().tree
    assert audit(StoreFetcher(public), tree, store=public, policy=policy_for(world.verifier)).findings == ()


# ---- the command


def test_command(tiletree: Command, log: str) -> None:
    """`add --payload` publishes the files; `get --payload` prints or writes them, after checking."""
    added = tiletree.ok("add", "log", "a", "b", "--again", "--payload", "--key", "k")
    plain = tiletree.ok("get", "log", 0, "--vkey", log)
    for entry, name in zip(added["entries"], "ab", strict=True):
        data = Path(name).read_bytes()
        path = Path("log", payload_path(sha256(data).hexdigest()))
        assert path.read_bytes() == data
        document = tiletree.ok("get", "log", entry["index"], "--payload", "--vkey", log)
        assert list(document) == ["index", "leaf_hash", "entry", "payload", "trust"]
        assert b64decode(document["payload"]) == data
        document = tiletree.ok("get", "log", entry["index"], "--payload", "-o", "out", "--vkey", log)
        assert "payload" not in document
        assert Path("out").read_bytes() == data
    # an equal file was logged before, without: it is the same entry
    assert tiletree.ok("get", "log", 0, "--payload", "--vkey", log)["entry"] == plain["entry"]
    path.write_bytes(b"content of B\n")
    wrong = tiletree("get", "log", 3, "--payload", "-o", "wrong", "--vkey", log)
    assert (wrong.code, Path("wrong").exists()) == (1, False)
    path.unlink()
    assert tiletree("get", "log", 3, "--payload", "--vkey", log).code == 3
    assert tiletree("audit", "log", "--vkey", log).code == 0


def test_standard_input(tiletree: Command, log: str) -> None:
    """Standard input can be a payload, too."""
    index = tiletree.ok("add", "log", "-", "--payload", "--key", "k", stdin=DATA)["entries"][0]["index"]
    assert b64decode(tiletree.ok("get", "log", index, "--payload", "--vkey", log)["payload"]) == DATA


def test_refusals(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too long a file is refused before anything is stored or added; --payload is for digests of files only."""
    monkeypatch.setattr(tiles.entries.payload, "MAX_PAYLOAD_SIZE", 13)
    Path("long").write_bytes(bytes(14))
    done = tiletree("add", "log", "a", "long", "--payload", "--key", "k")
    assert done.code == 2
    assert "hint: leave out --payload" in done.err
    assert not Path("log/payload").exists()
    for arguments in (("a", "--raw"), ("--lines", "a"), ("--stdin-lines",)):
        assert tiletree("add", "log", *arguments, "--payload", "--key", "k").code == 2
    assert tiletree("add", "nolog", "a", "--payload", "--key", "k").code != 0
    assert not Path("nolog/payload").exists()
    assert tiletree.ok("info", "log", "--vkey", log)["size"] == 2
    tiletree.ok("add", "log", "a", "--raw", "--key", "k")
    assert tiletree("get", "log", 2, "--payload", "--vkey", log).code == 2


def test_payload_lasts_before_its_entry(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each batch's payloads are stored, and made to last, before the batch is staged."""
    faults = Faults()
    real = tiles.user.places.public_store, tiles.user.places.private_store
    import tiletree.opening as opening

    monkeypatch.setattr(opening, "public_store", lambda *given: faults.wrap(real[0](*given), "public"))
    monkeypatch.setattr(opening, "private_store", lambda *given: faults.wrap(real[1](*given), "private"))
    tiletree.ok("add", "log", "a", "b", "--again", "--payload", "--key", "k", "--batch-size", 1)
    done = [what for what, _ in faults.done]
    stored = [at for at, what in enumerate(done) if what.startswith("public create payload/")]
    staged = [at for at, what in enumerate(done) if what.startswith("private create staging/")]
    assert len(stored) == len(staged) == 2
    for payload, batch in zip(stored, staged, strict=True):
        assert "public barrier" in done[payload:batch]
