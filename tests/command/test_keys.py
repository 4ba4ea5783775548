"""Keys that are kept in a service, and the commands that sign with them: here, a small Cloud KMS."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.cloud_kms import ART, LOG, CloudKms, refusal
from tests.support.command_line import ORIGIN, Command
from tiles.errors import Unfinished, UsageError
from tiles.log import Log
from tiles.notes.keys import signing_key
from tiles.signing.open_key import held_key
from tiles.sigstore.bundle import parse_bundle

if TYPE_CHECKING:
    from tests.support.softhsm import SoftToken

pytest_plugins = ["tests.support.softhsm", "tests.support.cloud_kms_fixture"]

KEY = signing_key(ORIGIN, b"\x07" * 32)  # the one that the service has


@pytest.fixture
def served(tiletree: Command, kms: CloudKms) -> CloudKms:
    """Return the service, whose key signs the log at `log`; `init` has remembered all places."""
    Path("a").write_bytes(b"content of a\n")
    done = tiletree.ok("init", "log", "--origin", ORIGIN, "--key", kms.place(LOG), "--anchor", "anchor", "--no-page")
    assert done["vkey"] == KEY.verifier.vkey
    assert done["key"] == f"gcpkms://{LOG}"
    held_key.cache_clear()
    kms.asked = []
    return kms


def signed(kms: CloudKms) -> int:
    """Return how often something was signed, or was to be."""
    return sum(path.endswith(":asymmetricSign") for path in kms.asked)


def test_a_log_whose_key_is_in_a_service(tiletree: Command, served: CloudKms) -> None:
    """Every command finds it where `init` has put it; its public half is asked for once in a process."""
    remembered = json.loads(next(tiletree.directory.rglob("logs.json")).read_bytes())["logs"]
    assert [one["key"] for one in remembered.values()] == [served.place(LOG)]
    assert tiletree.ok("add", "log", "a")["size"] == 1
    assert tiletree.ok("status", "log")["key"] == {"path": f"gcpkms://{LOG}", "problem": None}
    assert tiletree.ok("key", "show", "log")["vkey"] == KEY.verifier.vkey
    assert tiletree.ok("sequence", "log")["size"] == 1
    assert tiletree.ok("freeze", "log", "--yes")["frozen"]
    assert served.asked.count(f"/v1/{LOG}/publicKey") == 1
    assert tiletree.ok("info", "log", "--vkey", KEY.verifier.vkey)["size"] == 1


def test_key_show(tiletree: Command, served: CloudKms, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key of a service has no name: its public half is shown, or the vkey of a log that it is for."""
    shown = tiletree("key", "show", served.place(LOG))
    assert (shown.code, "--origin NAME shows its vkey" in shown.err) == (0, True)
    assert shown.out.startswith("-----BEGIN PUBLIC KEY-----")
    assert tiletree.ok("key", "show", served.place(LOG), "--origin", ORIGIN)["vkey"] == KEY.verifier.vkey
    art = tiletree("key", "show", served.place(ART))
    assert (art.code, art.err, art.out.startswith("-----BEGIN PUBLIC KEY-----")) == (0, "", True)
    for words in (
        ("key", "show", served.place(ART), "--origin", ORIGIN),
        ("key", "show", served.place(LOG), "--origin", "a b"),
        ("key", "show", "log", "--origin", ORIGIN),
        ("key", "show", "https://log.example.com"),
    ):
        assert tiletree(*words).code == 2, words
    monkeypatch.setenv("TILETREE_KEY", served.place(LOG))
    assert tiletree.ok("key", "show", "log")["key"] == f"gcpkms://{LOG}"


def test_the_anchor_has_to_be_named(tiletree: Command, kms: CloudKms) -> None:
    """There is no file that it could be beside. Nothing is made."""
    done = tiletree("init", "log", "--origin", ORIGIN, "--key", kms.place(LOG))
    assert (done.code, "--anchor or $TILETREE_ANCHOR has to say" in done.err) == (2, True)
    assert not Path("log").exists()
    assert signed(kms) == 0


def test_another_key_than_the_one_that_the_head_names(tiletree: Command, served: CloudKms) -> None:
    """Nothing is signed by it."""
    served.keys[LOG] = Ed25519PrivateKey.from_private_bytes(b"\x08" * 32)
    other = signing_key(ORIGIN, b"\x08" * 32).verifier.vkey
    for words in (
        ("add", "log", "a"),
        ("sequence", "log"),
        ("freeze", "log", "--yes"),
        ("key", "show", "log"),
        ("revoke", "a", "--log", "log", "--reason", "why"),
    ):
        held_key.cache_clear()
        done = tiletree(*words)
        assert (done.code, other in done.err, KEY.verifier.vkey in done.err) == (4, True, True), done
    assert other in tiletree("status", "log", "--json").json["key"]["problem"]
    assert signed(served) == 0


def test_refusals(tiletree: Command, served: CloudKms) -> None:
    """Each has its exit code, in every command; `status` shows all the rest, and says so."""
    for answer, code, words in (
        (refusal(403, "PERMISSION_DENIED"), 3, "may not use it"),
        (refusal(404, "NOT_FOUND"), 2, "no such key version"),
        (refusal(400, "FAILED_PRECONDITION"), 3, "not enabled"),
        (refusal(400, "INVALID_ARGUMENT"), 2, "does not sign like that"),
        (refusal(429, "RESOURCE_EXHAUSTED"), 3, "too many requests (RESOURCE_EXHAUSTED), 5 times"),
    ):
        served.answers = [answer] * 5
        done = tiletree("add", "log", "a")
        assert (done.code, words in done.err, signed(served)) == (code, True, 0), done
    served.answers = [refusal(403, "PERMISSION_DENIED")]
    status = tiletree("status", "log", "--json")
    assert (status.code, "may not use it" in status.json["key"]["problem"]) == (4, True)


def test_a_service_that_fails_after_the_commit(tiletree: Command, served: CloudKms) -> None:
    """The entries are committed, so exit code 5 says that the next run publishes them; that run does."""
    tiletree.ok("status", "log")  # asks for the public half
    served.answers = [refusal(503, "UNAVAILABLE")] * 5
    done = tiletree("add", "log", "a", "--json")
    assert (done.code, done.json["committed"], done.json["published"]) == (5, True, False)
    assert tiletree.ok("sequence", "log")["size"] == 1


def test_keys_of_the_other_kind(tiletree: Command, served: CloudKms) -> None:
    """A log's key signs no artifacts, a key for artifacts no log; what needs a file or a name says so."""
    for words, says in (
        (("sign", "a", "--log", "log", "--key", served.place(LOG)), "what signs artifacts is ECDSA P-256"),
        (("add", "log", "a", "--key", served.place(ART)), "the key of a log is Ed25519"),
        (("add", "log", "a", "--blind"), "there is none: the key is in gcpkms://"),
        (("index", "build", "log", "own", "--key", served.place(LOG)), "has no name of its own"),
        (("add", "log", "a", "--key", "pkcs11:object=k?pin-value=s3cr3t"), "the library that speaks to the token"),
        (("add", "log", "a", "--key", "awskms://alias/log"), "three slashes"),
    ):
        done = tiletree(*words)
        assert (done.code, says in done.err, "s3cr3t" in done.err) == (2, True, False), done
    assert tiletree("pkcs11:object=k?pin-value=s3cr3t").err.find("s3cr3t") == -1
    assert signed(served) == 0


def test_the_library_opens_it_too(tiletree: Command, served: CloudKms) -> None:
    """By the log alone, or by the place of the key and that of the anchor."""
    assert Log.open("log").append([b"one"]).first_index == 0
    key = served.place(LOG)
    assert Log.open("log", key=key, anchor="anchor").append([b"two"]).first_index == 1
    next(tiletree.directory.rglob("logs.json")).unlink()
    with pytest.raises(UsageError, match="the anchor has to be named"):
        Log.open("log", key=key)


@pytest.mark.slow
def test_a_log_whose_key_is_on_a_token(
    tiletree: Command, soft_token: SoftToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The PIN is given to the token, and to nothing else."""
    monkeypatch.setenv("TILETREE_PKCS11_MODULE", str(soft_token.module))
    monkeypatch.setenv("TILETREE_KEY", f"pkcs11:token=log;object=ed?pin-value={soft_token.pin}")
    Path("a").write_bytes(b"content of a\n")
    done = tiletree("init", "log", "--origin", ORIGIN, "--key", os.environ["TILETREE_KEY"], "--anchor", "anchor")
    assert (done.code, soft_token.pin in done.out + done.err) == (0, False)
    assert soft_token.pin not in next(tiletree.directory.rglob("logs.json")).read_text()
    done = tiletree("-v", "add", "log", "a")
    assert (done.code, f"pin-value={soft_token.pin}" in done.out + done.err) == (0, False)
    monkeypatch.delenv("TILETREE_KEY")
    monkeypatch.setenv("TILETREE_PKCS11_PIN", soft_token.pin)
    assert tiletree.ok("sequence", "log")["size"] == 1


def test_a_signature_that_cannot_be_made_again(
    tiletree: Command, served: CloudKms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key in a service signs differently each time. What was signed is kept before it is logged, and taken again."""

    def append(*_: object, **__: object) -> None:
        raise Unfinished("the entries are committed", first_index=2, count=1, published=False)

    Path("json").write_text("{}")
    sign = ("sign", "a", "--log", "log", "--key", served.place(ART))
    attest = ("attest", "a", "--predicate", "json", "--type", "link", "--log", "log", "--key", served.place(ART))
    for index, (words, name) in enumerate(((sign, "a.sigstore.json"), (attest, "a.link.sigstore.json"))):
        with monkeypatch.context() as patch:
            patch.setattr(Log, "append", append)
            assert tiletree(*words).code == 5
        unlogged = parse_bundle(Path(name).read_bytes())
        done = tiletree.ok(*words)["entries"][0]
        logged = parse_bundle(Path(name).read_bytes())
        assert (logged.content, len(logged.entries), done["index"]) == (unlogged.content, 1, index)
        assert tiletree.ok(*words)["entries"][0]["already"]
    Path("a").write_bytes(b"another content\n")
    assert tiletree.ok(*sign)["entries"][0]["index"] == 2
    Path("a.sigstore.json").unlink()
    assert tiletree.ok(*sign)["entries"][0]["index"] == 3  # nobody knows the first signature any more
