"""Keys in AWS KMS, as ministack emulates it, with rights that are enforced: a log is signed, and what refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.interop.emulator import ACCOUNT, REGION, ROOT, Emulator, ministack
from tests.support.command_line import ORIGIN, Command
from tiles.notes.witness_messages import seen_path
from tiles.signing.open_key import held_key
from tiles.sigstore.bundle import parse_bundle

pytestmark = [pytest.mark.interop, pytest.mark.slow]

PAGE = Path(__file__).parents[2] / "docs" / "keys.md"
SEQUENCER = f"arn:aws:iam::{ACCOUNT}:role/sequencer"
RAW = {"kms:SigningAlgorithm": "ED25519_SHA_512", "kms:MessageType": "RAW"}
DIGEST = {"kms:SigningAlgorithm": "ECDSA_SHA_256", "kms:MessageType": "DIGEST"}


class Kms:
    """The service, and whose credentials are in force."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.client = emulator.client("kms")
        iam = emulator.client("iam")
        trust = [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}]
        document = json.dumps({"Version": "2012-10-17", "Statement": trust})
        for name in ("sequencer", "other"):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
        self.roles = {name: emulator.assume(f"arn:aws:iam::{ACCOUNT}:role/{name}") for name in ("sequencer", "other")}

    def key(self, alias: str, spec: str, condition: dict[str, str]) -> str:
        """Make a key that the sequencer may use as docs/keys.md says, for such messages, and return its ARN."""
        usage = "ENCRYPT_DECRYPT" if spec == "SYMMETRIC_DEFAULT" else "SIGN_VERIFY"
        root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Resource": "*"}
        administration = ["kms:Describe*", "kms:Enable*", "kms:Disable*", "kms:ScheduleKeyDeletion"]
        (text,) = re.findall(r"^```json\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        read, sign = json.loads(text.replace("SEQUENCER_ROLE_ARN", SEQUENCER))
        assert sign["Condition"] == {"StringEquals": RAW}
        sign["Condition"] = {"StringEquals": condition}
        allowed = [{**root, "Action": administration}, read, sign]
        policy = json.dumps({"Version": "2012-10-17", "Statement": allowed})
        made = self.client.create_key(KeySpec=spec, KeyUsage=usage, Policy=policy)["KeyMetadata"]
        self.client.create_alias(AliasName=f"alias/{alias}", TargetKeyId=made["KeyId"])
        return str(made["Arn"])

    def asked(self) -> list[str]:
        """Return which operations of KMS the sequencer has asked for."""
        mine = self.roles["sequencer"]["AWS_ACCESS_KEY_ID"]
        return [one.operation for one in self.emulator.requests() if one.service == "kms" and one.access_key == mine]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kms]:
    """Return the service with its keys."""
    with ministack(tmp_path_factory.mktemp("ministack")) as emulator:
        kms = Kms(emulator)
        kms.key("log", "ECC_NIST_EDWARDS25519", RAW)
        kms.key("artifacts", "ECC_NIST_P256", DIGEST)
        kms.key("off", "ECC_NIST_EDWARDS25519", RAW)
        kms.key("symmetric", "SYMMETRIC_DEFAULT", RAW)
        kms.key("prehashed", "ECC_NIST_EDWARDS25519", DIGEST)
        yield kms


@pytest.fixture
def kms(service: Kms, monkeypatch: pytest.MonkeyPatch) -> Kms:
    """Return the service, and let commands be called as the sequencer."""
    held_key.cache_clear()
    for name, value in {**service.emulator.environment, **service.roles["sequencer"]}.items():
        monkeypatch.setenv(name, value)
    return service


def begin(tiletree: Command, key: str) -> dict[str, Any]:
    """Begin a log with a key."""
    return tiletree.ok("init", "log", "--origin", ORIGIN, "--key", key, "--anchor", "anchor", "--no-page")


def test_a_log_and_its_artifacts(tiletree: Command, kms: Kms) -> None:
    """The log's key signs checkpoints and the other one artifacts, with the rights of docs/keys.md and no others."""
    before = len(kms.asked())
    vkey = begin(tiletree, "awskms:///alias/log")["vkey"]
    Path("a").write_bytes(b"content")
    assert tiletree.ok("add", "log", "a")["size"] == 1
    assert kms.asked()[before:] == ["GetPublicKey", "Sign", "Sign"]
    sign = ("sign", "a", "--log", "log", "--key", "awskms:///alias/artifacts")
    assert tiletree.ok(*sign)["entries"][0]["index"] == 1
    assert tiletree.ok(*sign)["entries"][0]["already"]
    assert len(parse_bundle(Path("a.sigstore.json").read_bytes()).entries) == 1
    public = tiletree.ok("key", "show", "awskms:///alias/artifacts")["public_key"]
    Path("s.pub").write_text(public)
    verified = tiletree("verify", "a", "--bundle", "a.sigstore.json", "--key", "s.pub", "--vkey", vkey)
    assert verified.code == 0, verified
    held_key.cache_clear()
    arn = kms.client.describe_key(KeyId="alias/log")["KeyMetadata"]["Arn"]
    assert tiletree.ok("key", "show", f"awskms:///{arn}", "--origin", ORIGIN)["vkey"] == vkey
    assert tiletree.ok("audit", "log", "--vkey", vkey)["findings"] == []


def test_who_may_not_sign(tiletree: Command, kms: Kms, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another role, and the sequencer with another kind of message than its rights name."""
    begin(tiletree, "awskms:///alias/log")
    Path("a").write_bytes(b"content")
    with monkeypatch.context() as patch:
        for name, value in kms.roles["other"].items():
            patch.setenv(name, value)
        held_key.cache_clear()
        done = tiletree("add", "log", "a")
        assert (done.code, "these credentials may not use it" in done.err) == (3, True), done
    held_key.cache_clear()
    new = ("init", "new", "--origin", "new.example.com", "--key", "awskms:///alias/prehashed", "--anchor", "anchor-2")
    done = tiletree(*new)
    assert "these credentials may not use it" in done.err, done


@pytest.mark.parametrize(
    ("key", "code", "words"),
    [
        ("alias/none", 3, "these credentials may not use it"),
        (f"arn:aws:kms:{REGION}:210987654321:key/11111111-2222-3333-4444-555555555555", 3, "may not use it"),
        ("alias/artifacts", 2, "is ECDSA P-256, and the key of a log is Ed25519"),
        ("alias/symmetric", 2, "does not sign"),
    ],
)
def test_keys_that_are_none_of_a_log(tiletree: Command, kms: Kms, key: str, code: int, words: str) -> None:
    """Nothing is made. Whoever has no right on a key is not told whether it is there; who may see all keys is."""
    done = tiletree("init", "log", "--origin", ORIGIN, "--key", f"awskms:///{key}", "--anchor", "anchor")
    assert (done.code, words in done.err, Path("log").exists()) == (code, True, False), done


def test_no_key_of_that_name(tiletree: Command, kms: Kms, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may use all keys is told so."""
    monkeypatch.delenv("AWS_SESSION_TOKEN")
    for name, value in ROOT.items():
        monkeypatch.setenv(name, value)
    done = tiletree("key", "show", "awskms:///alias/none")
    assert (done.code, "there is no such key in this account and region" in done.err) == (2, True), done


def test_a_key_that_is_disabled_and_deleted(tiletree: Command, kms: Kms) -> None:
    """Both are told apart. ministack shows the public half of a disabled key, so that this is noticed at signing."""
    begin(tiletree, "awskms:///alias/off")
    Path("a").write_bytes(b"content")
    key = kms.client.describe_key(KeyId="alias/off")["KeyMetadata"]["KeyId"]
    kms.client.disable_key(KeyId=key)
    held_key.cache_clear()
    done = tiletree("add", "log", "a")
    assert (done.code, "the key is disabled" in done.err) == (5, True), done
    kms.client.enable_key(KeyId=key)
    assert tiletree.ok("sequence", "log")["size"] == 1
    kms.client.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    held_key.cache_clear()
    Path("b").write_bytes(b"other")
    done = tiletree("add", "log", "b")
    assert (done.code, "pending deletion" in done.err) == (5, True), done


def test_a_witness(tiletree: Command, kms: Kms) -> None:
    """It cosigns by a key that it may only use as docs/keys.md says; what is asked is the key once, and a signature."""
    Path("a").write_bytes(b"content")
    vkey = tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k", "--no-page")["vkey"]
    init = ("witness", "init", "w.conf", "--name", "w.example.com", "--state", "seen")
    done = tiletree(*init, "--key", "awskms:///alias/artifacts")
    assert (done.code, "the key of a witness in a service is Ed25519" in done.err) == (2, True), done
    held_key.cache_clear()
    before = len(kms.asked())
    (own,) = tiletree.ok(*init, "--key", "awskms:///alias/log")["vkeys"]
    tiletree.ok("witness", "begin", "w.conf", "log", "--vkey", vkey)
    for size in (1, 2):
        tiletree.ok("add", "log", "a", "--again", "--key", "k")
        (said,) = tiletree.ok("witness", "run", "w.conf")["logs"]
        assert (said["outcome"], said["size"]) == ("cosigned", size)
    assert kms.asked()[before:] == ["GetPublicKey", "Sign", "Sign", "Sign"]  # `begin` cosigns the empty tree
    Path("policy").write_text(f"log {vkey}\nwitness w {own}\nquorum w\n")
    seen = Path("seen") / seen_path(ORIGIN)
    assert tiletree("policy", "check", "policy", seen).code == 0
