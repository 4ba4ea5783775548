"""`tiletree verify --require`: what a gate lets pass, what it refuses and why, and calls that name no gate."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.command_line import Command
from tests.support.signed_bundles import ARTIFACT, bundle_of, logged, message_of, public, signer
from tests.support.signed_text import LOG
from tests.support.sigstore_authority import WORKFLOW, WORKFLOW_CLAIMS, WORKFLOW_ISSUER, authority, log_instance
from tiles.sigstore.bundle import Bundle
from tiles.sigstore.hashedrekord import make_hashedrekord

KEY = public(signer())
BY_GATE = ("--trusted-root", "root.json", "--require", "deploy/gate.txt")
SERVICE = f"api-service* {WORKFLOW} {WORKFLOW_ISSUER}"
BY_KEY = "*.yaml key s.pub"
HEX = sha256(ARTIFACT).hexdigest()


def keyless(identity: str) -> bytes:
    """Return a bundle of the artifact by a workflow of that identity."""
    who, content = authority(), message_of(signer())
    certificate = who.leaf(identity, issuer=WORKFLOW_ISSUER, claims=WORKFLOW_CLAIMS, key=signer()).der
    body = make_hashedrekord(content.digest, content.signature, KEY, certificate).data
    return Bundle(content, (certificate,), "", (logged(body),), (who.timestamp(content.signature),)).data


@pytest.fixture
def gated(tiletree: Command) -> Command:
    """Return the command in a directory with two signed files, one by a workflow, and a gate for both."""
    for folder in ("deploy", "dist"):
        Path(folder).mkdir()
    Path("deploy/gate.txt").write_text(f"# who may\n{SERVICE}\n{BY_KEY}\n")
    Path("deploy/s.pub").write_bytes(KEY.pem)
    Path("root.json").write_bytes(authority().trusted_root_bytes(log_instance(LOG.verifier)))
    for name, bundle in (("api-service-1.tgz", keyless(WORKFLOW)), ("a.yaml", bundle_of().data)):
        Path(f"dist/{name}").write_bytes(ARTIFACT)
        Path(f"dist/{name}.sigstore.json").write_bytes(bundle)
    return tiletree


def test_who_may(gated: Command) -> None:
    """Each file by the line for its name, whatever folder it is in; the line is in the answer."""
    files = gated.ok("verify", "dist/api-service-1.tgz", "dist/a.yaml", *BY_GATE)["files"]
    rules = [file["checks"][0]["rule"] for file in files]
    assert rules == [{"line": 2, "text": SERVICE}, {"line": 3, "text": BY_KEY}]
    both = gated("verify", "dist/api-service-1.tgz", "dist/a.yaml", *BY_GATE).out.splitlines()
    assert [line.rpartition(", as ")[2] for line in both[:2]] == [
        f"line {number} of deploy/gate.txt demands" for number in (2, 3)
    ]
    done = gated("verify", "dist/a.yaml", *BY_GATE)
    assert f"rule      line 3: {BY_KEY}\n" in done.out


def test_who_may_not(gated: Command) -> None:
    """The refusal names the identity and the line, exit code 1; so it does for a key, and for a name without a line."""
    evil = WORKFLOW.replace("/example/", "/evil/")
    Path("dist/api-service-1.tgz.sigstore.json").write_bytes(keyless(evil))
    done = gated("verify", "dist/api-service-1.tgz", *BY_GATE)
    assert done.code == 1
    assert f"signed by '{evil}', for whom '{WORKFLOW_ISSUER}' vouches" in done.err
    assert f"line 2 of deploy/gate.txt demands: {SERVICE}" in done.err
    Path("deploy/s.pub").write_bytes(public(signer(8)).pem)
    done = gated("verify", "dist/a.yaml", *BY_GATE)
    assert done.code == 1
    assert f"signed by the key {KEY.hint.hex()}, and line 3 of deploy/gate.txt demands: {BY_KEY}" in done.err
    Path("dist/b").write_bytes(ARTIFACT)
    done = gated("verify", "dist/b", "dist/a.yaml", *BY_GATE, "--json")
    assert done.code == 1
    assert [file["verified"] for file in done.json["files"]] == [False, False]
    assert "no line of deploy/gate.txt matches the name 'b'" in done.json["error"]["message"]


def test_what_is_not_right_otherwise(gated: Command) -> None:
    """Whoever signed: changed bytes are refused; a proof alone shows nobody."""
    Path("dist/api-service-1.tgz").write_bytes(ARTIFACT + b"\0")
    done = gated("verify", "dist/api-service-1.tgz", *BY_GATE)
    assert (done.code, "this is another file" in done.err) == (1, True)
    Path("dist/a.yaml.sigstore.json").unlink()
    Path("dist/a.yaml.tlog-proof").write_bytes(b"x")
    done = gated("verify", "dist/a.yaml", *BY_GATE)
    assert (done.code, "nothing shows who signed it" in done.err) == (3, True)


def test_names_of_what_has_none(gated: Command) -> None:
    """A digest and standard input are called by --name, and so may a file be."""
    bundle = ("--bundle", "dist/a.yaml.sigstore.json", *BY_GATE)
    for what in (f"sha256:{HEX}", "-", "dist/api-service-1.tgz"):
        gated.ok("verify", what, *bundle, "--name", "b.yaml", stdin=ARTIFACT)
        done = gated("verify", what, *bundle, "--name", "b", stdin=ARTIFACT)
        assert (done.code, "matches the name 'b'" in done.err) == (1, True)
    nameless = gated("verify", f"sha256:{HEX}", *bundle)
    assert (nameless.code, "has no name, and --require decides by names" in nameless.err) == (2, True)


WRONG: dict[str, tuple[list[str], str]] = {
    "no such file": (["--require", "none"], "--require none cannot be read"),
    "no gate": (["--require", "root.json"], "--require root.json: malformed gate: the last line"),
    "a key that is not there": (["--require", "gate"], "--require gate, line 1: none.pub cannot be read"),
    "a key that is none": (["--require", "root"], "--require root, line 1: root.json: malformed public key"),
    "a key as well": (["--require", "gate", "--key", "deploy/s.pub"], "both say who has to have signed"),
    "a name alone": (["--key", "deploy/s.pub", "--name", "b"], "--name is what --require is to call one file"),
    "a name with a folder": ([*BY_GATE[2:], "--name", "b/a.yaml"], "--name is what --require is to call one file"),
    "a name for two": ([*BY_GATE[2:], "--name", "b", "dist/a.yaml"], "--name is what --require is to call one file"),
    "a fork": (["--fork", "."], "name files"),
}


@pytest.mark.parametrize(("options", "problem"), WRONG.values(), ids=WRONG)
def test_wrong_calls(gated: Command, options: list[str], problem: str) -> None:
    """Exit code 2, and what is wrong with the call."""
    Path("gate").write_text("a key none.pub\n")
    Path("root").write_text("a key root.json\n")
    words = (
        [*options, *BY_GATE[2:]] if "--fork" in options else ["dist/a.yaml", "--trusted-root", "root.json", *options]
    )
    done = gated("verify", *words)
    assert done.code == 2, done
    assert problem in done.err
