"""The keys of a log: which may stand together, and which of them sign."""

from __future__ import annotations

from pathlib import Path

import pytest

from tiles.errors import Malformed, Refused, UsageError
from tiles.notes.checkpoint import Checkpoint
from tiles.notes.cosignature import sign_by_all
from tiles.notes.key_change import MAX_KEYS
from tiles.notes.keys import SignatureType, signing_key
from tiles.notes.policy import policy_for, policy_of
from tiles.signing.key_file import add_key, read_key, read_keys, write_key, write_keys
from tiles.signing.key_place import KeyPlace, Kind
from tiles.signing.log_keys import LogKeys, as_log_keys
from tiles.signing.open_key import open_key
from tiles.tree.merkle import EMPTY_TREE

NAME = "example.com/log"
A, B = (signing_key(NAME, bytes([n]) * 32) for n in (1, 2))
PQ = signing_key(NAME, b"\x03" * 32, SignatureType.MLDSA44)
COSIGNER = signing_key(NAME, b"\x04" * 32, SignatureType.COSIGNATURE)


def test_what_signs() -> None:
    """All that are held, until a head says which; those that sign texts come first."""
    keys = LogKeys([PQ, A, B])
    assert keys.current == keys.held == (A.verifier, B.verifier, PQ.verifier)
    keys.use([B.verifier.vkey, PQ.verifier.vkey])
    assert keys.current == (B.verifier, PQ.verifier)
    assert keys.held == (B.verifier, PQ.verifier, A.verifier)
    assert (keys.verifier, keys.name) == (B.verifier, NAME)
    B.verifier.verify(b"message", keys.sign(b"message"))
    assert as_log_keys(keys) is keys
    assert as_log_keys(A).held == (A.verifier,)
    with pytest.raises(Refused, match="is not here"):
        LogKeys([A]).use([A.verifier.vkey, B.verifier.vkey])
    assert A.skey[-20:] not in repr(LogKeys([A, B]))


@pytest.mark.parametrize(
    "keys",
    [
        [],
        [A, A],
        [A, COSIGNER],
        [PQ, signing_key(NAME, b"\x09" * 32, SignatureType.MLDSA44)],
        [A, signing_key("example.com/other", b"\x09" * 32)],
        [signing_key(NAME, bytes([n]) * 32) for n in range(10, 11 + MAX_KEYS)],
    ],
)
def test_what_does_not_go_together(keys: list[object]) -> None:
    """Several keys have one name, and one is Ed25519."""
    with pytest.raises(UsageError):
        LogKeys(keys)  # type: ignore[arg-type]


def test_a_checkpoint_is_verified_by_either() -> None:
    """Offline, by the Ed25519 key alone, by the ML-DSA-44 key alone, and by a policy with both lines."""
    signed = sign_by_all(Checkpoint(NAME, EMPTY_TREE), [A, PQ])
    for policy in (policy_for(A.verifier), policy_for(PQ.verifier), policy_of([A.verifier, PQ.verifier])):
        policy.accept(signed)
    for key in (COSIGNER, signing_key("example.com/other", b"\x09" * 32, SignatureType.MLDSA44)):
        with pytest.raises(UsageError):
            sign_by_all(Checkpoint(NAME, EMPTY_TREE), [A, key])


def test_a_file_of_several(tmp_path: Path) -> None:
    """One a line; a key is added behind the others, at mode 0600, and through a link."""
    path, link = tmp_path / "k", tmp_path / "link"
    write_key(path, A)
    assert read_keys(path) == (A,)
    link.symlink_to(path)
    add_key(link, PQ)
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text() == f"{A.skey}\n{PQ.skey}\n"
    assert read_keys(path) == (A, PQ)
    opened = open_key(KeyPlace(Kind.FILE, str(path)))
    assert isinstance(opened, LogKeys)
    assert opened.held == (A.verifier, PQ.verifier)
    with pytest.raises(Malformed, match="more than one line"):
        read_key(path)
    for key in (A, COSIGNER):
        with pytest.raises(UsageError):
            add_key(path, key)
    assert read_keys(path) == (A, PQ)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["k", "link"]


@pytest.mark.parametrize("text", [f"{A.skey}\n{COSIGNER.skey}\n", f"{A.skey}\n\n{B.skey}\n", f"{A.skey}\n{A.skey}\n"])
def test_a_file_that_is_none(text: str, tmp_path: Path) -> None:
    """Keys that cannot be those of one log are malformed, and nothing of them is shown."""
    path = tmp_path / "k"
    path.touch(0o600)
    path.write_text(text)
    with pytest.raises(Malformed) as caught:
        read_keys(path)
    assert A.skey[-20:-12] not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_keys_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable holds what a key file does."""
    monkeypatch.setenv("KEYS", f"{A.skey}\n{PQ.skey}\n")
    assert as_log_keys(open_key(KeyPlace(Kind.ENVIRONMENT, "KEYS"))).held == (A.verifier, PQ.verifier)


def test_two_files_are_two_secrets(tmp_path: Path) -> None:
    """`write_keys` makes a new file only."""
    write_keys(tmp_path / "k", [A, PQ])
    with pytest.raises(Refused, match="exists already"):
        write_keys(tmp_path / "k", [B])
    assert read_keys(tmp_path / "k") == (A, PQ)
