"""`tiletree verify` of files with bundles: what is taken, who is demanded, and what becomes of several files."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.command_line import Command
from tests.support.signed_bundles import (
    ARTIFACT,
    STATEMENT,
    bundle_of,
    envelope_of,
    logged,
    message_of,
    public,
    signer,
    trusted_root,
)
from tests.support.signed_text import LOG
from tests.support.sigstore_authority import IDENTITY, ISSUER, authority, log_instance
from tiles.notes.policy import policy_for
from tiles.sigstore.bundle import Bundle
from tiles.sigstore.hashedrekord import make_hashedrekord

HEX = sha256(ARTIFACT).hexdigest()
KEY = public(signer())
GOOD = bundle_of()
BY_KEY = ("--trusted-root", "root.json", "--key", "s.pub")


@pytest.fixture
def signed(tiletree: Command) -> Command:
    """Return the command in a directory with a signed file `a`, its bundle, its key `s.pub`, and whom to trust."""
    Path("a").write_bytes(ARTIFACT)
    Path("a.sigstore.json").write_bytes(GOOD.data)
    Path("s.pub").write_bytes(KEY.pem)
    Path("root.json").write_bytes(trusted_root())
    return tiletree


def test_a_file_and_its_bundle(signed: Command) -> None:
    """The bundle beside the file, and the digest in its place; all that the document says."""
    found = signed.ok("verify", "a", *BY_KEY)
    expected = {
        "by": "a.sigstore.json",
        "index": 5,
        "leaf_hash": sha256(b"\0" + GOOD.entries[0].body).hexdigest(),
        "size": 11,
        "origin": LOG.name,
        "trust": "pinned",
        "entry_kind": "hashedrekord 0.0.2",
        "key": KEY.hint.hex(),
        "revocation": "not checked",
    }
    assert found == {"verified": True, "files": [{"file": "a", "verified": True, "checks": [expected]}]}
    by_digest = signed.ok("verify", f"sha256:{HEX}", "--bundle", "a.sigstore.json", *BY_KEY)
    assert by_digest["files"][0]["checks"] == [expected]
    assert signed("verify", f"sha256:{'00' * 32}", "--bundle", "a.sigstore.json", *BY_KEY).code == 1
    Path("a").write_bytes(ARTIFACT + b"\0")
    done = signed("verify", "a", *BY_KEY, "--json")
    assert done.code == 1
    assert done.json["verified"] is False
    assert "this is another file" in done.json["error"]["message"]


@pytest.mark.parametrize("trust", [("--vkey", LOG.verifier.vkey), ("--policy", "policy")], ids=["vkey", "policy"])
def test_other_ways_to_trust(signed: Command, trust: tuple[str, str]) -> None:
    """A vkey and a policy do as well as a trusted root; text says who signed."""
    Path("policy").write_bytes(policy_for(LOG.verifier).data)
    done = signed("verify", "a", "--key", "s.pub", *trust)
    assert done.code == 0, done
    assert done.out.startswith(f"verified: a is entry 5 of {LOG.name}, size 11, signed by the key {KEY.hint.hex()}\n")


WRONG: dict[str, tuple[list[str], str]] = {
    "nobody is demanded": (["--trusted-root", "root.json"], "nothing says who has to have signed: name the key"),
    "both are demanded": ([*BY_KEY, "--certificate-identity", "x"], "both say who has to have signed"),
    "an identity without an issuer": (
        ["--trusted-root", "root.json", "--certificate-identity", IDENTITY],
        "neither of --certificate-oidc-issuer",
    ),
    "two ways to trust": ([*BY_KEY, "--vkey", LOG.verifier.vkey], "--vkey and --trusted-root both say"),
    "nobody is trusted": (["--key", "s.pub"], f"no key is trusted for {LOG.name}"),
    "a key that is none": (["--trusted-root", "root.json", "--key", "a"], "--key a: malformed public key"),
    "a trusted root that is none": (["--trusted-root", "a", "--key", "s.pub"], "--trusted-root a: malformed trusted"),
    "a fork and a key": (["--fork", ".", "--key", "s.pub"], "name files"),
}


@pytest.mark.parametrize(("options", "problem"), WRONG.values(), ids=WRONG)
def test_wrong_calls(signed: Command, options: list[str], problem: str) -> None:
    """A verifier who names nobody has verified nothing: exit code 2, and what to name."""
    done = signed("verify", "a", *options)
    assert done.code == 2, done
    assert problem in done.err


def test_proof_and_bundle(tiletree: Command, log: str) -> None:
    """Both stand beside the file: both must verify. A proof alone does not show who signed."""
    Path("a.tlog-proof").write_bytes(Path("p").read_bytes())
    assert tiletree.ok("verify", "a", "--vkey", log)["files"][0]["checks"][0]["matched"] == "file"
    Path("s.pub").write_bytes(KEY.pem)
    alone = tiletree("verify", "a", "--vkey", log, "--key", "s.pub")
    assert (alone.code, "nothing shows who signed it" in alone.err) == (3, True)
    Path("a.sigstore.json").write_bytes(bundle_of().data)
    Path("policy").write_text(f"log {log}\nlog {LOG.verifier.vkey}\nquorum none\n")
    both = ("verify", "a", "--policy", "policy", "--key", "s.pub")
    checks = tiletree.ok(*both)["files"][0]["checks"]
    assert [check["by"] for check in checks] == ["a.tlog-proof", "a.sigstore.json"]
    assert tiletree("verify", "a", "--policy", "policy").code == 2
    assert tiletree(*both, "--proof", "p").code == 3  # what is named is taken, and nothing else
    Path("a.tlog-proof").write_bytes(b"x")
    assert tiletree(*both).code == 1
    tiletree.ok(*both, "--bundle", "a.sigstore.json")


def test_several_files(signed: Command) -> None:
    """One line for each and a summary; the exit code is the first of 7, 1, 8, 3 that occurred."""
    for name in ("b", "c"):
        Path(name).write_bytes(name.encode())
    Path("c.sigstore.json").write_bytes(bundle_of(content=message_of(signer(), b"c"), index=0, size=1).data)
    done = signed("verify", "a", "c", *BY_KEY)
    assert done.code == 0
    assert [line.split(" is entry")[0] for line in done.out.splitlines()] == [
        "verified: a",
        "verified: c",
        "2 of 2 files verified",
    ]
    absent = signed("verify", "a", "b", *BY_KEY)
    assert absent.code == 3
    assert "not verified: b: there is neither b.tlog-proof nor b.sigstore.json" in absent.out
    Path("c").write_bytes(b"changed")
    wrong = signed("verify", "a", "b", "c", *BY_KEY, "--json")
    assert wrong.code == 1
    assert [file["verified"] for file in wrong.json["files"]] == [True, False, False]
    assert wrong.json["error"]["message"].startswith("2 of 3 files not verified; c: ")


def test_every_step_is_shown(signed: Command) -> None:
    """--explain: each hash from the file to the root, which anybody can compute again; with a proof, too."""
    steps = signed.ok("verify", "a", *BY_KEY, "--explain")["files"][0]["checks"][0]["steps"]
    leaf = signed.ok("verify", "a", *BY_KEY)["files"][0]["checks"][0]["leaf_hash"]
    for step in steps:
        assert leaf in (step["left"], step["right"])
        leaf = sha256(b"\1" + bytes.fromhex(step["left"]) + bytes.fromhex(step["right"])).hexdigest()
        assert leaf == step["hash"]
    out = signed("verify", "a", *BY_KEY, "--explain").out
    assert f"SHA2_256(file) = {HEX}" in out
    last = steps[-1]
    assert f"SHA256(0x01 || {last['left']} || {last['right']}) = {leaf}\nwhich is the root in the checkpoint" in out


def test_a_proof_is_explained(tiletree: Command, log: str) -> None:
    """The document of a proof alone is as ever, and has the steps besides."""
    found = tiletree.ok("verify", "a", "--proof", "p", "--vkey", log, "--explain")
    assert len(found.pop("steps")) == len(found["files"][0]["checks"][0].pop("steps")) == 1
    assert found == tiletree.ok("verify", "a", "--proof", "p", "--vkey", log)


def test_statements_and_certificates(signed: Command) -> None:
    """What a statement is, and what a certificate says, is in the document; a policy cannot judge it."""
    Path("a.sigstore.json").write_bytes(bundle_of(content=envelope_of(signer())).data)
    checks = signed.ok("verify", "a", *BY_KEY)["files"][0]["checks"]
    assert checks[0]["predicate_type"] == STATEMENT["predicateType"]
    who, content = authority(), message_of(signer())
    certificate = who.leaf(key=signer(), claims={12: "https://github.com/example/app"}).der
    body = make_hashedrekord(content.digest, content.signature, KEY, certificate).data
    bundle = Bundle(content, (certificate,), "", (logged(body),), (who.timestamp(content.signature),))
    Path("a.sigstore.json").write_bytes(bundle.data)
    Path("root.json").write_bytes(who.trusted_root_bytes(log_instance(LOG.verifier)))
    identity = ("--certificate-identity", IDENTITY, "--certificate-oidc-issuer", ISSUER)
    check = signed.ok("verify", "a", "--trusted-root", "root.json", *identity)["files"][0]["checks"][0]
    assert (check["identity"], check["issuer"]) == (IDENTITY, ISSUER)
    assert check["claims"] == {"Source Repository URI": "https://github.com/example/app"}
    assert signed("verify", "a", "--vkey", LOG.verifier.vkey, *identity).code == 2
    claim = ("--trusted-root", "root.json", *identity, "--certificate-claim")
    signed.ok("verify", "a", *claim, "Source Repository URI=https://github.com/example/app")
    other = signed("verify", "a", *claim, "Source Repository URI=https://github.com/example/b")
    assert (other.code, "Source Repository URI is 'https://github.com/example/app'; demanded is" in other.err) == (
        1,
        True,
    )
    for wrong in ("Source Repository URI", "Repository=x"):
        assert signed("verify", "a", *claim, wrong).code == 2
    assert signed("verify", "a", *claim, "Build Trigger=a", "--certificate-claim", "Build Trigger=b").code == 2
    pattern = ("--certificate-identity-regexp", ".*@example.org", "--certificate-oidc-issuer", ISSUER)
    assert signed("verify", "a", "--trusted-root", "root.json", *pattern).code == 1
    Path("a.sigstore.json").write_bytes(replace(bundle, entries=()).data)
    assert signed("verify", "a", "--trusted-root", "root.json", *identity).code == 1
