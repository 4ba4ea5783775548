"""Which policy a log is read with: given, remembered, or first used."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.readers import OTHER_KEY, Objects, make_log, renamed
from tests.support.signed_text import LOG, W1
from tiles.errors import AccessError, Malformed, NotFound, SignatureError, UsageError
from tiles.notes.keys import VerifierKey, signing_key
from tiles.notes.policy import parse_policy
from tiles.read.client import LogClient
from tiles.read.trust import resolve
from tiles.records.paths import POLICY
from tiles.tree.layout import CHECKPOINT
from tiles.user.pinned import FIRST_USE, PINNED, REMEMBERED
from tiles.user.trusted_keys import Trust

URL = "https://log.example.com/a"
KEY, OTHER = LOG.verifier, OTHER_KEY.verifier
STRANGER = signing_key("other.example.com", bytes(32)).verifier


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    """Return an empty memory."""
    return Trust(tmp_path / "config")


def log(policy: bytes | None = b"", **options: object) -> Objects:
    """Return a log; with another policy.txt, or with None without one."""
    objects = make_log(5, **options)  # type: ignore[arg-type]
    if policy is None:
        del objects[POLICY]
    elif policy:
        objects[POLICY] = policy
    return Objects(objects)


def key_of(pinned: object) -> VerifierKey:
    """Return the one log key of a resolved policy."""
    (only,) = pinned.policy.logs  # type: ignore[attr-defined]
    return only.key


def test_pinned_by_key(trust: Trust) -> None:
    """A given key is used, whatever is remembered or published; nothing is asked for, nothing remembered."""
    trust.trust(URL, OTHER.vkey)
    before = trust.path.read_bytes()
    objects = log()
    pinned = resolve(URL, objects, trust, KEY)
    assert (key_of(pinned), pinned.how, pinned.is_first_use) == (KEY, PINNED, False)
    assert objects.asked == []
    assert trust.path.read_bytes() == before


def test_pinned_by_policy(trust: Trust) -> None:
    """A given policy is used as it is, quorum included."""
    policy = parse_policy(f"log {KEY.vkey}\nwitness w {W1.verifier.vkey}\nquorum w\n".encode())
    pinned = resolve(URL, log(), trust, policy=policy)
    assert (pinned.policy, pinned.how) == (policy, PINNED)
    assert not trust.path.exists()


def test_pinned_by_both(trust: Trust) -> None:
    """Key and policy together are a wrong call: one of them would be ignored."""
    policy = parse_policy(f"log {KEY.vkey}\nquorum none\n".encode())
    with pytest.raises(UsageError):
        resolve(URL, log(), trust, KEY, policy)


def test_remembered(trust: Trust) -> None:
    """A remembered key is used before anything the log says."""
    trust.trust(URL, KEY.vkey)
    objects = log(f"log {OTHER.vkey}\nquorum none\n".encode())
    pinned = resolve(URL, objects, trust)
    assert (key_of(pinned), pinned.how) == (KEY, REMEMBERED)
    assert objects.asked == []


def test_first_use(trust: Trust) -> None:
    """On first use the log's key is taken from its policy.txt and remembered; it stays first use until confirmed."""
    for _ in range(2):
        pinned = resolve(URL, log(), trust)
        assert (key_of(pinned), pinned.how, pinned.is_first_use) == (KEY, FIRST_USE, True)
    trust.trust(URL, KEY.vkey)
    assert resolve(URL, log(), trust).how == REMEMBERED


def test_first_use_holds(trust: Trust) -> None:
    """After first use a log with another key is refused, whatever its policy.txt says by then."""
    resolve(URL, log(), trust)
    other = log(key=OTHER_KEY)
    pinned = resolve(URL, other, trust)
    assert key_of(pinned) == KEY
    with pytest.raises(SignatureError):
        LogClient(other, pinned.policy).visit()


def test_first_use_takes_the_key_only(trust: Trust) -> None:
    """Of a policy.txt the quorum is not taken: witnesses that a log names for itself witness nothing."""
    text = f"log {KEY.vkey} https://x\nwitness w {W1.verifier.vkey}\nquorum w\n"
    pinned = resolve(URL, log(text.encode()), trust)
    assert pinned.policy.witnesses == ()
    assert pinned.policy.quorum is None
    assert LogClient(log(), pinned.policy).visit().signed.tree.size == 5


def test_first_use_without_policy(trust: Trust) -> None:
    """A log that does not say what its key is has to be given one."""
    with pytest.raises(UsageError) as caught:
        resolve(URL, log(None), trust)
    assert "--vkey" in caught.value.hint
    assert not trust.path.exists()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (b"quorum none\n", UsageError),
        (f"log {KEY.vkey}\nlog {STRANGER.vkey}\nquorum none\n".encode(), UsageError),
        (b"log x\nquorum none\n", Malformed),
        (f"log {OTHER.vkey}\nquorum none\n".encode(), SignatureError),
        (b"#" * (1 << 20) + b"\n", AccessError),
    ],
)
def test_first_use_of_what_does_not_fit(trust: Trust, text: bytes, error: type[Exception]) -> None:
    """A key is remembered only if it is the one log's, and has verified its checkpoint."""
    with pytest.raises(error):
        resolve(URL, log(text), trust)
    assert not trust.path.exists()


def test_first_use_without_checkpoint(trust: Trust) -> None:
    """A key without a checkpoint is not remembered."""
    objects = log()
    del objects.objects[CHECKPOINT]
    with pytest.raises(NotFound):
        resolve(URL, objects, trust)
    assert not trust.path.exists()


def test_first_use_that_cannot_be_remembered(tmp_path: Path) -> None:
    """Reading needs no place to write: the key is used once, as a first use, and why it is not remembered is said."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / ".lock").mkdir()
    for trust in (Trust(tmp_path / "config"), None):
        pinned = resolve(URL, log(), trust)
        assert (key_of(pinned), pinned.how) == (KEY, FIRST_USE)
        assert pinned.not_remembered
    assert "cannot be written" in resolve(URL, log(), Trust(tmp_path / "config")).not_remembered


def test_first_use_of_a_name_that_is_too_long(trust: Trust) -> None:
    """A log whose key has a name of hundreds of kilobytes is read, and leaves nothing behind."""
    theirs = signing_key("x" * 400_000, bytes(32))
    pinned = resolve(URL, Objects(renamed(make_log(5), theirs)), trust)
    assert (key_of(pinned), pinned.how) == (theirs.verifier, FIRST_USE)
    assert "400000 bytes" in pinned.not_remembered
    assert not trust.path.exists()


def test_damage_is_no_reason_to_go_on(trust: Trust) -> None:
    """A file that is there and not understood may say that another key is right."""
    trust.path.parent.mkdir()
    trust.path.write_bytes(b"?")
    with pytest.raises(UsageError):
        resolve(URL, log(), trust)
