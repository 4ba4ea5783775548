"""`upload`, `verify`, `search` and `revoke` with keys and signatures of SSH, minisign and OpenPGP."""

from __future__ import annotations

import json
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.command_line import ORIGIN, Command
from tests.support.signature_texts import DATA, GOOD, stored
from tiles.entries.signer_keys import key_value
from tiles.notes.tlog_proof import parse_tlog_proof
from tiles.signatures.entry import parse_signature_entry

SSH, MINISIGN, PGP = GOOD[0], GOOD[6], GOOD[9]
FILES = {name for case in GOOD for name in case[1:]}


def _begin(tiletree: Command) -> str:
    vkey: str = tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "log.key")["vkey"]
    return vkey


@pytest.fixture
def signed(tiletree: Command) -> tuple[str, str]:
    """Return how the key of the empty log `log` is named; beside it are `a`, which was signed, keys and signatures."""
    vkey = tiletree.prepared(_begin)
    Path("a").write_bytes(DATA)
    for name in FILES:
        Path(name).write_bytes(stored(name))
    return ("--vkey", vkey)


def upload(case: tuple[str, str, str], *more: str) -> tuple[str, ...]:
    """Return the call that logs a signature."""
    return ("upload", "--log", "log", "--artifact", "a", "--signature", case[2], "--public-key", case[1], *more)


@pytest.mark.parametrize("case", [SSH, MINISIGN, PGP], ids=lambda case: case[0])
def test_a_signature_is_logged_and_verified(
    tiletree: Command, signed: tuple[str, str], case: tuple[str, str, str]
) -> None:
    """Once; by the key alone; its proof tells the signature; all that the documents say."""
    one = tiletree.ok(*upload(case, "-o", "a.tlog-proof"))
    assert one["entries"][0] == {
        "index": 0,
        "name": "a",
        "leaf_hash": one["entries"][0]["uuid"],
        "uuid": one["entries"][0]["uuid"],
        "url": f"https://{ORIGIN}/#uuid={one['entries'][0]['uuid']}",
        "proof": "a.tlog-proof",
    }
    again = tiletree.ok(*upload(case, "--pki-format", case[0]))
    assert (again["entries"][0]["already"], again["size"]) == (True, 1)
    value = key_value(stored(case[1])).hex()
    found = tiletree.ok("verify", "a", "--key", case[1], *signed)["files"][0]["checks"][0]
    signer = found.pop("signer")
    comment = {"comment": "timestamp:1556193335\tfile:test"} if case is MINISIGN else {}
    assert found == {
        "by": "a.tlog-proof",
        "index": 0,
        "size": 1,
        "origin": ORIGIN,
        "trust": "pinned",
        "matched": "signature",
        "format": case[0],
        "key": value,
        **comment,
        "revocation": "not checked",
    }
    hit = tiletree.ok("search", "log", "--key", case[1], *signed)["hits"][0]
    assert (hit["kind"], hit["signer"]) == ("signature", signer)
    assert tiletree.ok("search", "log", "a", *signed)["hits"] == [hit]
    tiletree.ok("prove", "log", f"sha256:{sha256(DATA).hexdigest()}", "-o", "p", *signed)
    assert parse_tlog_proof(Path("p").read_bytes()).extra == parse_tlog_proof(Path("a.tlog-proof").read_bytes()).extra


def test_what_verify_demands(tiletree: Command, signed: tuple[str, str]) -> None:
    """A key; this key; this file; this proof. Only then is it verified."""
    tiletree.ok(*upload(SSH, "-o", "p"))
    tiletree.ok(*upload(MINISIGN, "-o", "m"))
    Path("b").write_bytes(DATA + b"\n")
    proof, signature = ("--proof", "p", *signed), ("--signature", SSH[2])
    for call, code, says in (
        (("a", *proof), 2, "nothing says who has to have signed"),
        (("a", *proof, "--key", "ssh_rsa2048.pub"), 1, "signed by the SSH key"),
        (("a", *proof, "--key", MINISIGN[1]), 1, "signed by the SSH key"),
        (("b", *proof, "--key", SSH[1]), 1, "wrong SSH signature"),
        (("b", *signature, "--key", SSH[1]), 1, "wrong SSH signature"),
        (("a", *signature, "--key", SSH[1], "--proof", "m", *signed), 1, "the proof is of something else"),
        (("a", "--key", SSH[1], "--bundle", SSH[2]), 2, "no bundle is signed by an SSH key"),
        (("a", "--key", SSH[1]), 3, "no proof of a, and no signature"),
        (("a", *signature), 2, "that --key names"),
        (("a", *signature, "--key", "a"), 2, "not the public key of any known kind"),
        (("a", *signature, "--key", SSH[1], "--log", "log"), 2, "are about an entry"),
        (("a", "b", *signature, "--key", SSH[1]), 2, "name files"),
        (("a", "--signature", MINISIGN[2], "--key", SSH[1]), 1, "armored"),
    ):
        done = tiletree("verify", *call, "--json")
        assert (done.code, says in done.json["error"]["message"]) == (code, True), (call, done.json)
        assert done.json["verified"] is False
    assert tiletree.ok("verify", "a", *signature, *proof, "--key", SSH[1], "--explain")["verified"]
    alone = tiletree.ok("verify", "a", *signature, "--key", SSH[1])["files"][0]["checks"][0]
    assert alone["logged"] is False
    assert "index" not in alone
    assert "nothing shows that the signature is logged" in tiletree("verify", "a", *signature, "--key", SSH[1]).out


def test_a_digest_in_the_place_of_the_file(tiletree: Command, signed: tuple[str, str]) -> None:
    """It is enough where SHA-256 is what SSH signed; otherwise the error asks for the file."""
    hex_ = f"sha256:{sha256(DATA).hexdigest()}"
    case = ("ssh", "ssh_ed25519.pub", "ssh_ed25519_sha256.sig")
    named = ("--artifact-hash", hex_, "--signature", case[2], "--public-key", case[1], "-o", "p")
    tiletree.ok("upload", "--log", "log", *named)
    assert tiletree.ok("verify", hex_, "--proof", "p", "--key", case[1], *signed)["verified"]
    for other in (SSH, MINISIGN, PGP):
        done = tiletree("upload", "--log", "log", *named[:2], "--signature", other[2], "--key", other[1], "--json")
        assert (done.code, done.json["error"]["hint"]) == (2, "name the file")


def test_nothing_wrong_is_logged(tiletree: Command, signed: tuple[str, str]) -> None:
    """A wrong signature, another file, another format: each says what it is."""
    Path("b").write_bytes(DATA + b"\n")
    for call, code, says in (
        (("--artifact", "b", "--signature", SSH[2], "--key", SSH[1]), 1, "wrong SSH signature"),
        (("--artifact", "a", "--signature", SSH[2], "--key", "ssh_rsa2048.pub"), 1, "another SSH key"),
        (("--artifact", "a", "--signature", SSH[2], "--key", SSH[1], "--pki-format", "pgp"), 1, "OpenPGP certificate"),
        (("--artifact", "a", "--signature", SSH[2], "--key", SSH[1], "--pki-format", "x509"), 1, "public key"),
        (("--artifact", "a", "--signature", PGP[2], "--key", SSH[1]), 1, "armored"),
    ):
        done = tiletree("upload", "--log", "log", *call, "--json")
        assert done.code == code, done.json
        assert says in done.json["error"]["message"]
    assert tiletree.ok("info", "log", *signed)["size"] == 0


def test_a_certificate_that_has_changed(tiletree: Command, signed: tuple[str, str]) -> None:
    """The key is the same, so the entry is found, and verified, by the certificate that there is now."""
    import pysequoia

    tsk = pysequoia.Tsk.generate(user_id="x")
    cert = tsk.extract_certificate()
    Path("k").write_bytes(bytes(cert))
    Path("s").write_bytes(pysequoia.sign(tsk.signer(), DATA, mode=pysequoia.SignatureMode.DETACHED))
    tiletree.ok(*upload(("pgp", "k", "s"), "-o", "a.tlog-proof"))
    Path("k").write_bytes(bytes(cert.add_user_id(value="y", certifier=tsk.certifier())))
    assert tiletree.ok("verify", "a", "--key", "k", *signed)["verified"]
    assert tiletree.ok("verify", "a", "--key", "k", "--signature", "s", *signed)["verified"]
    assert tiletree.ok("search", "log", "--key", "k", *signed)["hits"][0]["index"] == 0


def test_a_key_that_was_revoked(tiletree: Command, signed: tuple[str, str]) -> None:
    """The log's key revokes it, whatever kind of key it is."""
    tiletree.ok(*upload(SSH, "-o", "a.tlog-proof"))
    assert tiletree.ok("verify", "a", "--key", SSH[1], "--log", "log", *signed)["verified"]
    tiletree.ok("revoke", "--key", SSH[1], "--log", "log", "--reason", "lost")
    done = tiletree("verify", "a", "--key", SSH[1], "--log", "log", *signed)
    assert (done.code, "revokes key" in done.err) == (1, True)


def test_an_entry_that_is_too_long_for_its_proof(tiletree: Command, signed: tuple[str, str]) -> None:
    """The call says so; with the signature, the proof is verified all the same."""
    import pysequoia

    tsk = pysequoia.Tsk.generate(user_id="x" * 3000)
    Path("k").write_bytes(bytes(tsk.extract_certificate()))
    Path("s").write_bytes(pysequoia.sign(tsk.signer(), DATA, mode=pysequoia.SignatureMode.DETACHED))
    done = tiletree.ok(*upload(("pgp", "k", "s"), "-o", "p"))
    assert done["large"] is True
    assert tiletree("verify", "a", "--key", "k", "--proof", "p", *signed).code == 2
    assert tiletree.ok("verify", "a", "--key", "k", "--proof", "p", "--signature", "s", *signed)["verified"]


def test_without_pysequoia(tiletree: Command, signed: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is logged or verified, and the hint says what to install."""
    monkeypatch.setitem(sys.modules, "pysequoia", None)
    for call in (upload(PGP), ("verify", "a", "--key", PGP[1], *signed), ("search", "log", "--key", PGP[1], *signed)):
        done = tiletree(*call, "--json")
        assert (done.code, "tiletree[pgp]" in json.dumps(done.json)) == (2, True), done.json
    assert tiletree.ok(*upload(SSH))["size"] == 1


def test_what_is_logged(tiletree: Command, signed: tuple[str, str]) -> None:
    """Key and signature as the format has them, and the file's digests."""
    tiletree.ok(*upload(SSH))
    tiletree.ok("get", "log", "0", "-o", "e", *signed)
    found = parse_signature_entry(Path("e").read_bytes())
    assert (found.format, found.second_name) == ("ssh", "sha512")
