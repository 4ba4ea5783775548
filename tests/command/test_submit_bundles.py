"""`submit --bundle` and a policy with rules: what is attached, who is admitted, and what a refusal says."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.admissions import BY_IDENTITY, KEY, SLSA, certified, policy
from tests.support.command_line import ORIGIN, Command
from tests.support.signed_bundles import STATEMENT, bundle_of, logged, message_of, public, signer
from tests.support.signed_text import LOG
from tests.support.sigstore_authority import IDENTITY, ISSUER, authority, log_instance
from tiles.inbox.rules import Rule
from tiles.inbox.submission import read_submission
from tiles.inbox.submit import wait_until_logged
from tiles.notes.keys import parse_vkey
from tiles.signing.key_place import parse_key_place
from tiles.sigstore.bundle import Bundle, parse_bundle
from tiles.store.directory import DirectoryStore
from tiletree.commands import submit as command
from tiletree.opening import open_sequencer
from tiletree.options import Writer

ADMISSION = policy(
    BY_IDENTITY,
    Rule("hashedrekord", identity="*@ci.example.com", issuer=ISSUER, predicate=SLSA),
    Rule("hashedrekord", key=KEY),
)
RULE = "rule 1 and 1 more: allow hashedrekord identity *@ci.example.com issuer https..."


@pytest.fixture
def judged(tiletree: Command) -> str:
    """Return the vkey of a log whose policy has rules; `a` is a file, `s.pub` the key that may sign without more."""
    Path("policy").write_bytes(ADMISSION.data)
    Path("a").write_bytes(b"content of a\n")
    Path("s.pub").write_bytes(public(signer()).pem)
    vkey = tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k", "--admission", "policy", "--no-page")["vkey"]
    return str(vkey)


def write(name: str, bundle: Bundle) -> str:
    """Write a bundle, and return the name of its file."""
    Path(name).write_bytes(bundle.data)
    return name


def leaf(*names: str) -> Bundle:
    """Return a bundle of these identities."""
    return certified(authority().leaf(*names, key=signer(9)))


def by_key(**values: Any) -> Bundle:
    """Return a bundle of a key, without an entry."""
    return Bundle(message_of(signer()), (), "", **values)


def objects() -> list[bytes]:
    """Return what is in the inbox."""
    private = DirectoryStore(Path("log.private"))
    return [private.read(listed.path).data for listed in private.list("inbox/")]


def sequencing() -> Callable[[float], None]:
    """Return what a wait does instead of sleeping: somebody with the key runs `sequence`."""

    def sleep(_seconds: float) -> None:
        open_sequencer("log", Writer(key=parse_key_place("k"))).sequence()

    return sleep


def test_who_is_not_named_is_refused(tiletree: Command, judged: str) -> None:
    """The run refuses it and names the rule, and nothing of what was submitted; others of the batch are logged."""
    names = [write("good", certified()), write("eve", leaf("eve@example.com")), write("late", certified(stamps=()))]
    tiletree.ok("submit", "log", "--submitter", "ann", *[word for name in names for word in ("--bundle", name)])
    done = tiletree.ok("sequence", "log", "--key", "k", "--admission", "policy")
    assert (done["size"], done["refused"]) == (1, {"ann": 2})
    reasons = sorted(each["reason"] for each in done["refusals"])
    assert reasons[0] == f"entry 0 has a certificate of another identity or issuer; {RULE}"
    assert reasons[1] == f"entry 0 has no signed timestamp over its signature by an authority of the policy; {RULE}"
    kept = "".join(path.read_text() for path in Path("log.private/rejected/ann").iterdir())
    assert all(reason in kept for reason in reasons)
    assert "eve" not in kept


def test_what_is_attached(tiletree: Command, judged: str) -> None:
    """Timestamps, further certificates and the envelope of a bundle; nothing of a key's, which stays a v1."""
    stated = certified(statement=STATEMENT)
    write("b", stated)
    item = json.loads(Path("b").read_bytes())
    item["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.2"  # which may have a chain
    own = item["verificationMaterial"].pop("certificate")
    root = {"rawBytes": b64encode(authority().root.der).decode()}
    item["verificationMaterial"]["x509CertificateChain"] = {"certificates": [own, root]}
    Path("b").write_text(json.dumps(item))
    document = tiletree.ok("submit", "log", "--bundle", "b", "--submitter", "ann")
    assert document["entries"][0]["name"] == "b"
    submission = read_submission(objects()[0])
    (attached,) = submission.attached.values()
    assert attached.timestamps == stated.timestamps
    assert attached.certificates == (authority().root.der,)
    assert json.loads(attached.envelope)["payloadType"] == "application/vnd.in-toto+json"
    assert submission.once
    tiletree.ok("sequence", "log", "--key", "k")
    tiletree.ok("submit", "log", "--bundle", write("b", by_key()), "--public-key", "s.pub", "--submitter", "ann")
    assert objects()[0].startswith(b"tiletree-submission/v1\n")
    assert tiletree.ok("sequence", "log", "--key", "k")["size"] == 2


def test_the_entry_comes_into_the_bundle(tiletree: Command, judged: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --wait the bundle gets its entry once it is logged, and verifies; submitted again, it is there already."""
    monkeypatch.setattr(command, "wait_until_logged", partial(wait_until_logged, sleep=sequencing()))
    write("a.sigstore.json", certified())
    for already in (False, True):
        words = ("submit", "log", "--bundle", "a.sigstore.json", "--submitter", "ann", "--wait", "--vkey", judged)
        document = tiletree.ok(*words)
        (entry,) = document["entries"]
        assert (entry["index"], entry["bundle"], "already" in entry) == (0, "a.sigstore.json", already)
        assert document["logged"] is True
    assert len(parse_bundle(Path("a.sigstore.json").read_bytes()).entries) == 1
    Path("root").write_bytes(authority().trusted_root_bytes(log_instance(parse_vkey(judged))))
    demanded = ["--certificate-identity", IDENTITY, "--certificate-oidc-issuer", ISSUER]
    assert tiletree("verify", "a", "--trusted-root", "root", *demanded).code == 0
    assert tiletree("staple", "a.sigstore.json", "--log", "log", "--log-key", "k").code == 0


def test_a_rule_for_statements(tiletree: Command, judged: str) -> None:
    """A rule with a predicate admits statements of that type only."""
    who = authority().leaf("bot@ci.example.com", key=signer(9))
    for name, bundle in (("file", certified(who)), ("statement", certified(who, statement=STATEMENT))):
        tiletree.ok("submit", "log", "--bundle", write(name, bundle), "--submitter", name)
    done = tiletree.ok("sequence", "log", "--key", "k")
    assert (done["size"], done["refused"]) == (1, {"file": 1})
    assert done["refusals"][0]["reason"].startswith(
        "entry 0 has no attached envelope with the statement that was signed"
    )


def test_a_bundle_that_cannot_be_submitted(tiletree: Command, judged: str) -> None:
    """A wrong signature, no bundle, no key, the entry of another log where that is to be replaced: nothing is sent."""
    wrong = by_key()
    write("wrong", Bundle(message_of(signer(8)), (), ""))
    write("key", wrong)
    write("elsewhere", bundle_of(log=LOG))
    assert logged(b"").log_id == LOG.verifier.log_id
    for code, says, *words in (
        (1, "wrong", "--bundle", "wrong", "--public-key", "s.pub"),
        (1, "a: malformed bundle", "--bundle", "a"),
        (1, "s.pub: malformed bundle", "--bundle", "s.pub"),
        (2, "name its public half with --key", "--bundle", "key"),
        (2, "--public-key is for --bundle", "a", "--public-key", "s.pub"),
        (2, "--bundle goes with no files", "a", "--bundle", "key"),
        (2, "--bundle goes with no files", "--bundle", "key", "--raw"),
        (2, "-o is for proofs of files", "--bundle", "key", "--public-key", "s.pub", "--wait", "-o", "log"),
        (4, "the entry of another log", "--bundle", "elsewhere", "--public-key", "s.pub", "--wait", "--vkey", judged),
    ):
        done = tiletree("submit", "log", "--submitter", "ann", "--timeout", 0, *words)
        assert (done.code, says in done.err) == (code, True), done.err
    assert objects() == []


def test_a_policy_for_the_writer(tiletree: Command, judged: str) -> None:
    """With `judge writer`, whoever has the key logs what a rule admits, and nothing else: exit code 4."""
    Path("policy").write_bytes(replace(ADMISSION, judges_writer=True).data)
    tiletree.ok("init", "own", "--origin", ORIGIN, "--key", "k2", "--admission", "policy", "--no-page")
    for says, *words in (
        ("is of the kind file", "add", "own", "a", "--key", "k2"),
        ("is of the kind raw", "add", "own", "a", "--raw", "--key", "k2"),
        ("of another identity", "staple", write("eve", leaf("eve@example.com")), "--log", "own", "--log-key", "k2"),
        (
            "by another key",
            "staple",
            write("8", Bundle(message_of(signer(8)), (), "")),
            "--key",
            "8.pub",
            "--log",
            "own",
        ),
    ):
        Path("8.pub").write_bytes(public(signer(8)).pem)
        done = tiletree(*words)
        assert (done.code, says in done.err, "rule" in done.err) == (4, True, True), done.err
    assert tiletree.ok("staple", write("b", certified()), "--log", "own", "--log-key", "k2")["size"] == 1
    assert tiletree.ok("staple", write("c", by_key()), "--key", "s.pub", "--log", "own", "--log-key", "k2")["size"] == 2


def test_a_policy_that_is_none(tiletree: Command, judged: str) -> None:
    """`init` and `sequence` say what is wrong with it, and show nothing of the file."""
    for line, says in (
        (
            "allow hashedrekord identity a issuer b",
            "a trusted-root line and rules that name an identity need each other",
        ),
        ("trusted-root e30=", "need each other"),
        ("allow raw", "a line that begins with allow, and is no rule"),
        ("allow raw anyone\nallow file anyone", "stand once each, sorted as text"),
        ("allow any anyone", "'any' is no kind of entries"),
        ("trusted-root e30=\nallow hashedrekord identity a issuer b", "malformed trusted root"),
    ):
        Path("odd").write_text(f"tiletree-admission/v1\n{line}\n")
        for words in (("init", "new", "--origin", ORIGIN, "--key", "n"), ("sequence", "log", "--key", "k")):
            done = tiletree(*words, "--admission", "odd")
            assert (done.code, says in done.err) == (2, True), done.err
    assert not Path("new").exists()
    Path("odd").write_text("tiletree-admission/v1\nallow file anyone\n")
    assert tiletree("sequence", "log", "--key", "k", "--admission", "odd").code == 4
