"""Logs whose origin is not their key's name, in what one machine remembers: known by key and origin."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.other_logs import SUMDB_KEY, SUMDB_ORIGIN
from tests.support.signed_text import TREE, key
from tiles.errors import Refused, UsageError
from tiles.notes.checkpoint import Checkpoint, SignedCheckpoint, with_signatures
from tiles.notes.keys import SigningKey
from tiles.notes.note import Signature
from tiles.user.pinned import REMEMBERED
from tiles.user.seen_checkpoints import Visits
from tiles.user.trusted_keys import Known, Trust

KEY, OTHER = SUMDB_KEY.verifier, key("other.example.com", 41)
URL, ELSEWHERE = "https://a.example.com", "https://b.example.com"


def signed(origin: str, by: SigningKey = SUMDB_KEY) -> SignedCheckpoint:
    """Return a checkpoint by a key of another name."""
    checkpoint = Checkpoint(origin, TREE)
    line = Signature(by.verifier.name, by.verifier.key_id, by.sign(checkpoint.text))
    return with_signatures(checkpoint, [line])


def test_trust_is_written_and_read(tmp_path: Path) -> None:
    """The origin is in the file, beside the key, and reads back."""
    trust = Trust(tmp_path)
    trust.trust(URL, KEY.vkey, origin=SUMDB_ORIGIN)
    assert f"remembered-origin {KEY.vkey} go.sum%20database%20tree {URL}\n" in trust.path.read_text()
    known = Trust(tmp_path).lookup(URL)
    assert known == Known(URL, KEY, REMEMBERED, SUMDB_ORIGIN)
    assert known.policy.accept(signed(SUMDB_ORIGIN)).log == KEY


def test_two_logs_of_one_origin(tmp_path: Path) -> None:
    """Neither keeps the other out, and a proof is verified by the key that signed it, if it is one of both."""
    trust = Trust(tmp_path)
    trust.trust(URL, KEY.vkey, origin=SUMDB_ORIGIN)
    trust.trust(ELSEWHERE, OTHER.verifier.vkey, origin=SUMDB_ORIGIN)
    policy = trust.lookup_origin(SUMDB_ORIGIN)
    assert policy is not None
    assert policy.accept(signed(SUMDB_ORIGIN)).log == KEY
    assert policy.accept(signed(SUMDB_ORIGIN, OTHER)).log == OTHER.verifier


def test_two_logs_of_one_key(tmp_path: Path) -> None:
    """A key may sign several logs at several addresses; one address has one of them, unless it is replaced."""
    trust = Trust(tmp_path)
    trust.trust(URL, KEY.vkey, origin="tree 1")
    trust.trust(ELSEWHERE, KEY.vkey, origin="tree 2")
    with pytest.raises(Refused, match="tree 1"):
        trust.trust(URL, KEY.vkey, origin="tree 2")
    trust.trust(URL, KEY.vkey, origin="tree 3", replace=True)
    assert {known.url: known.origin for known in trust.all().values()} == {URL: "tree 3", ELSEWHERE: "tree 2"}


@pytest.mark.parametrize(
    "line", ["x", f"{KEY.vkey} {KEY.name} {URL}", f"{KEY.vkey} a%0Ab {URL}", f"{KEY.vkey} a%2fb {URL}"]
)
def test_damaged_files(tmp_path: Path, line: str) -> None:
    """A line that this program would not have written is refused."""
    (tmp_path / "trust").write_text(f"tiletree-trust/v1\nremembered-origin {line}\n")
    (tmp_path / "trust").chmod(0o600)
    with pytest.raises(UsageError):
        Trust(tmp_path).all()


def test_what_was_seen(tmp_path: Path) -> None:
    """Two logs of one key are two in the memory of checkpoints, and neither is the log that the key is named for."""
    visits = Visits(tmp_path)
    for origin in ("tree 1", "tree 2"):
        assert visits.remember(KEY, signed(origin), None)
        assert visits.last(KEY, origin) == signed(origin)
    assert visits.last(KEY) is None
    assert visits.forget(KEY, "tree 1")
    assert visits.last(KEY, "tree 2") is not None
