"""A witness whose key is in a service: it cosigns as with a key file, and the service is asked for nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.cloud_kms import ART, LOG, CloudKms, refusal
from tests.support.command_line import Command
from tests.support.readers import make_log
from tests.support.signed_text import LOG as THE_LOG
from tests.support.signed_text import ORIGIN
from tests.support.signed_text import signed as signed_by
from tests.support.witnessing import at, check_row
from tiles.notes.checkpoint import Checkpoint
from tiles.notes.keys import SignatureType, SigningKey, parse_vkey, signing_key
from tiles.notes.witness_messages import seen_path
from tiles.signing.open_key import held_key

if TYPE_CHECKING:
    from tests.support.softhsm import SoftToken

pytest_plugins = ["tests.support.softhsm", "tests.support.cloud_kms_fixture"]

NAME = "witness.example.com/w1"
KEY = signing_key(NAME, b"\x07" * 32, SignatureType.COSIGNATURE)  # the one that the service has
SEEN = Path("seen") / seen_path(ORIGIN)
INIT = ("witness", "init", "w.conf", "--name", NAME, "--state", "seen")


def write_log(objects: dict[str, bytes]) -> None:
    """Put a log into the directory `log`."""
    for path, data in objects.items():
        (Path("log") / path).parent.mkdir(parents=True, exist_ok=True)
        (Path("log") / path).write_bytes(data)


def signed(kms: CloudKms) -> int:
    """Return how often something was signed, or was to be."""
    return sum(path.endswith(":asymmetricSign") for path in kms.asked)


def check_published(contents: list[bytes], *keys: SigningKey) -> None:
    """Require that each content is cosigned by each key, and that they are of one history."""
    assert [tree.size for tree in check_row(contents, keys)][-1] == 200


@pytest.fixture
def begun(tiletree: Command, kms: CloudKms) -> CloudKms:
    """Return the service of a witness that has begun a log of 50 entries."""
    write_log(make_log(50))
    said = tiletree.ok(*INIT, "--key", kms.place(LOG))
    assert said["vkeys"] == [KEY.verifier.vkey]
    tiletree.ok("witness", "begin", "w.conf", "log", "--vkey", THE_LOG.verifier.vkey)
    held_key.cache_clear()
    kms.asked = []
    return kms


def test_a_witness_whose_key_is_in_a_service(tiletree: Command, begun: CloudKms) -> None:
    """Its configuration names the key and itself; a run asks for the public half, and for one signature a log."""
    lines = Path("w.conf").read_text().splitlines()
    assert lines[:3] == ["state seen", f"name {NAME}", f"key {begun.place(LOG)}"]
    assert [path.name for path in Path().glob("*.key")] == []
    contents = []
    for size in (50, 200):
        write_log(make_log(50, size))
        (done,) = tiletree.ok("witness", "run", "w.conf")["logs"]
        assert (done["outcome"], done["size"]) == ("cosigned", size)
        contents.append(SEEN.read_bytes())
    check_published(contents, KEY)
    assert (begun.asked.count(f"/v1/{LOG}/publicKey"), signed(begun)) == (1, 2)


def test_a_second_key_in_a_file(tiletree: Command, kms: CloudKms) -> None:
    """An ML-DSA-44 key is made beside it, and both cosign; repeating the call changes nothing."""
    call = (*INIT, "--key", kms.place(LOG), "--kind", "ml-dsa-44")
    said = tiletree.ok(*call)
    assert said["vkeys"][0] == KEY.verifier.vkey
    assert parse_vkey(said["vkeys"][1]).type == SignatureType.MLDSA44
    assert tiletree.ok(*call) == said
    write_log(make_log(200))
    tiletree.ok("witness", "begin", "w.conf", "log", "--vkey", THE_LOG.verifier.vkey)
    tiletree.ok("witness", "run", "w.conf")
    Path("policy").write_text(
        f"log {THE_LOG.verifier.vkey}\nwitness a {said['vkeys'][0]}\nwitness b {said['vkeys'][1]}\n"
        "group both 2 a b\nquorum both\n"
    )
    assert tiletree("policy", "check", "policy", SEEN).code == 0


def test_another_key_behind_that_name(tiletree: Command, begun: CloudKms) -> None:
    """What is stored is not by that key: nothing is cosigned, and nothing is asked to be signed."""
    tiletree.ok("witness", "run", "w.conf")
    before, asked = SEEN.read_bytes(), signed(begun)
    begun.keys[LOG] = Ed25519PrivateKey.from_private_bytes(b"\x08" * 32)
    held_key.cache_clear()
    done = tiletree("witness", "run", "w.conf")
    assert (done.code, "no key of this witness has cosigned it" in done.err) == (4, True), done
    assert (SEEN.read_bytes(), signed(begun)) == (before, asked)


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (refusal(429, "RESOURCE_EXHAUSTED"), 3, "too many requests (RESOURCE_EXHAUSTED), 5 times"),
        (refusal(403, "PERMISSION_DENIED"), 3, "may not use it"),
        ((200, {"signature": "AAAA"}), 3, "the service did not get what was sent"),
    ],
)
def test_a_service_that_does_not_sign(
    tiletree: Command, begun: CloudKms, answer: tuple[int, object], code: int, words: str
) -> None:
    """Nothing is published, and the next run does it."""
    tiletree.ok("witness", "run", "w.conf")
    before = SEEN.read_bytes()
    write_log(make_log(50, 200))
    begun.answers = [answer] * 5
    done = tiletree("witness", "run", "w.conf")
    assert (done.code, words in done.err) == (code, True), done
    assert SEEN.read_bytes() == before
    begun.answers = []
    tiletree.ok("witness", "run", "w.conf")
    check_published([before, SEEN.read_bytes()], KEY)


def test_keys_that_are_none_of_a_witness(tiletree: Command, kms: CloudKms) -> None:
    """One for artifacts; a file; one that --kind would make, too; a configuration without a name. Nothing is made."""
    for words, says in (
        (("--key", kms.place(ART)), "the key of a witness in a service is Ed25519"),
        (("--key", "k"), "--key names a key in a service"),
        (("--key", kms.place(LOG), "--kind", "ed25519"), "so --kind ed25519 makes none"),
        (("--key", "awskms://alias/log"), "three slashes"),
        (("--key", "pkcs11:object=k?pin-value=s3cr3t"), "the library that speaks to the token"),
    ):
        done = tiletree(*INIT, *words)
        assert (done.code, says in done.err, "s3cr3t" in done.err) == (2, True, False), done
        assert not Path("w.conf").exists()
    Path("w.conf").write_text(f"state seen\nkey {kms.place(LOG)}\n")
    done = tiletree("witness", "run", "w.conf")
    assert (done.code, "has no name of its own" in done.err) == (2, True), done
    Path("w.conf").unlink()
    tiletree.ok(*INIT)
    Path("w.conf").write_text(Path("w.conf").read_text() + "name other.example.com\n")
    done = tiletree("witness", "run", "w.conf")
    assert (done.code, "a key file has another name" in done.err) == (2, True), done
    assert signed(kms) == 0


def test_a_checkpoint_that_is_too_long_for_a_service(tiletree: Command, begun: CloudKms) -> None:
    """What a log writes into its checkpoint is not the fault of the call: the witness refuses."""
    long = Checkpoint(ORIGIN, at(50).tree, ("x" * 5000,))
    Path("log/checkpoint").write_bytes(signed_by(long, THE_LOG).data)
    done = tiletree("witness", "run", "w.conf")
    assert (done.code, "cosigns at most 4096 bytes" in done.err, signed(begun)) == (4, True, 0), done


def test_a_witness_whose_key_is_on_a_token(
    tiletree: Command, soft_token: SoftToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The PIN is not written down; it comes from the environment when the witness runs."""
    monkeypatch.setenv("TILETREE_PKCS11_MODULE", str(soft_token.module))
    monkeypatch.delenv("TILETREE_PKCS11_PIN", raising=False)
    held_key.cache_clear()
    write_log(make_log(200))
    (vkey,) = tiletree.ok(*INIT, "--key", f"pkcs11:token=log;object=ed?pin-value={soft_token.pin}")["vkeys"]
    assert Path("w.conf").read_text() == f"state seen\nname {NAME}\nkey pkcs11:token=log;object=ed\n"
    monkeypatch.setenv("TILETREE_PKCS11_PIN", soft_token.pin)
    held_key.cache_clear()
    tiletree.ok("witness", "begin", "w.conf", "log", "--vkey", THE_LOG.verifier.vkey)
    tiletree.ok("witness", "run", "w.conf")
    Path("policy").write_text(f"log {THE_LOG.verifier.vkey}\nwitness w {vkey}\nquorum w\n")
    assert tiletree("policy", "check", "policy", SEEN).code == 0
