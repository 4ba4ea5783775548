"""`sign`, `attest`, `upload` and `staple`: what they write, where, and that a call can be repeated."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.bucket_logs import LOG, PRIVATE, begin
from tests.support.command_line import ORIGIN, Command
from tests.support.object_server import ObjectServer
from tests.support.rekor_log import artifact_key
from tests.support.sigstore_authority import IDENTITY, authority
from tiles.errors import Unfinished
from tiles.log import Log
from tiles.rekor.sign import sign_artifact
from tiles.signing.artifact_key import write_artifact_key
from tiles.sigstore.bundle import Bundle, MessageSignature, parse_bundle
from tiles.sigstore.dsse import Envelope
from tiles.sigstore.hashedrekord import check_hashedrekord
from tiles.sigstore.in_toto import parse_statement

KEY = artifact_key()


@pytest.fixture
def signer(tiletree: Command, log: str) -> str:
    """Return the vkey of a log; `s` is a key that signs, `s.pub` its public half."""
    write_artifact_key(Path("s"), KEY)
    return log


def bundle_at(name: str) -> Bundle:
    """Return the bundle in a file."""
    return parse_bundle(Path(name).read_bytes())


# ---- keys


def test_a_signing_key(tiletree: Command) -> None:
    """It is made with its public half, shown by it, and never overwritten; its secret is printed nowhere."""
    done = tiletree("key", "generate", "--signing", "--out", "k.key", "--json")
    assert done.json == {"path": "k.key", "public_key": "k.key.pub"}
    secret = "".join(Path("k.key").read_text().splitlines()[1:-1])
    shown = tiletree("key", "show", "k.key")
    assert shown.out == Path("k.key.pub").read_text()
    assert tiletree.ok("key", "show", "k.key")["public_key"] == shown.out
    again = tiletree("key", "generate", "--signing", "--out", "k.key")
    assert again.code == 4
    assert all(secret[at : at + 20] not in done.out + shown.out + again.err for at in range(0, 60, 20))
    assert tiletree("key", "generate", "--signing", "x.example.com", "--out", "x").code == 2
    assert tiletree("key", "generate", "--out", "x").code == 2
    assert not Path("x").exists()


def test_a_signing_key_that_would_be_published(tiletree: Command) -> None:
    """A folder that is served, or a git checkout, is no place for it: that is said, and the key is made."""
    Path("web").mkdir()
    Path("web/index.html").touch()
    done = tiletree("key", "generate", "--signing", "--out", "web/s.key", "--json")
    assert done.code == 0
    assert "as a folder has that is served" in done.json["exposed"][0]
    assert "warning: the key, web/s.key, may be published" in done.err
    assert "exposed" not in tiletree.ok("key", "generate", "--signing", "--out", "s.key")


@pytest.mark.parametrize(
    ("content", "mode", "code", "says"),
    [
        (b"no key\n", 0o600, 2, "not a private key in PEM"),
        (None, 0o600, 2, "there is no signing key at"),
        (KEY.pem, 0o644, 4, "can be read by others"),
    ],
)
def test_keys_that_will_not_do(
    tiletree: Command, log: str, content: bytes | None, mode: int, code: int, says: str
) -> None:
    """Nothing is logged, and nothing of the file is shown."""
    if content is not None:
        Path("s").write_bytes(content)
        Path("s").chmod(mode)
    done = tiletree("sign", "a", "--log", "log", "--key", "s")
    assert done.code == code
    assert says in done.err
    assert tiletree.ok("info", "log", "--vkey", log)["size"] == 2


# ---- sign


def test_sign(tiletree: Command, signer: str) -> None:
    """Each file gets its bundle; called again, the entries are those that are there, and so are the signatures."""
    done = tiletree.ok("sign", "a", "b", "a", "--log", "log", "--key", "s")
    assert [(one["index"], one["name"], one["bundle"]) for one in done["entries"]] == [
        (2, "a", "a.sigstore.json"),
        (3, "b", "b.sigstore.json"),
    ]
    assert (done["origin"], done["size"]) == (ORIGIN, 4)
    first = done["entries"][0]
    entry = tiletree.ok("get", "log", "--uuid", first["uuid"], "--vkey", signer)
    assert entry["index"] == 2
    assert first["url"] == f"https://{ORIGIN}/#uuid={first['leaf_hash']}"
    bundle = bundle_at("a.sigstore.json")
    (logged,) = bundle.entries
    assert check_hashedrekord(logged.body).digest == sha256(Path("a").read_bytes()).digest()
    assert b64encode(logged.body).decode() == entry["entry"]

    before = Path("a.sigstore.json").read_bytes()
    Path("a.sigstore.json").unlink()  # as a run leaves it that died before it was written
    again = tiletree("sign", "a", "--log", "log", "--key", "s", "--url", "https://example.com/log/", "--json").json
    assert (again["size"], again["entries"][0]["already"]) == (4, True)
    assert again["entries"][0]["url"] == f"https://example.com/log/#uuid={first['leaf_hash']}"
    assert Path("a.sigstore.json").read_bytes() == before
    assert [path.name for path in Path().iterdir() if path.name.startswith(".")] == []


def test_what_was_signed_before_is_left_out(tiletree: Command, signer: str) -> None:
    """`dist/*` holds bundles and proofs after a first call: the second one logs nothing, and signs none of them."""
    Path("dist").mkdir()
    Path("dist/one").write_bytes(b"one")
    tiletree.ok("add", "log", "dist", "--proofs", "--key", "k")
    first = tiletree.ok("sign", "dist/one", "--log", "log", "--log-key", "k", "--key", "s")
    names = sorted(map(str, Path("dist").iterdir()))
    assert names == ["dist/one", "dist/one.sigstore.json", "dist/one.tlog-proof"]
    again = tiletree.ok("sign", *names, "--log", "log", "--log-key", "k", "--key", "s")
    assert again["size"] == first["size"]
    assert [entry["name"] for entry in again["entries"]] == ["dist/one"]
    assert [each["path"] for each in again["left_out"]] == names[1:]
    assert sorted(map(str, Path("dist").iterdir())) == names


def test_sign_elsewhere(tiletree: Command, signer: str) -> None:
    """A bundle goes where the call says: standard input has no name, and several files have one each."""
    made = tiletree("sign", "-", "--log", "log", "--key", "s", "-o", "made", stdin=b"x")
    assert made.code == 0
    assert bundle_at("made").content == sign_artifact(KEY, sha256(b"x").digest()).content
    assert f"see https://{ORIGIN}/#uuid=" in made.out
    for words in (["-"], ["a", "b", "-o", "made"], []):
        assert tiletree("sign", *words, "--log", "log", "--key", "s").code == 2
    assert tiletree.ok("info", "log", "--vkey", signer)["size"] == 3


def test_a_bundle_that_cannot_be_written(tiletree: Command, signer: str) -> None:
    """The entry is logged then: the call made again with another place writes it."""
    done = tiletree("sign", "a", "--log", "log", "--key", "s", "-o", "none/made", "--json")
    assert done.code == 3
    assert "none/made cannot be written" in done.json["error"]["message"]
    assert tiletree.ok("sign", "a", "--log", "log", "--key", "s")["entries"][0]["already"]


def test_a_run_that_cannot_publish(tiletree: Command, signer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 5 says that the entries are committed, and what to do: the same call writes the bundle."""

    def append(*_: object, **__: object) -> None:
        raise Unfinished("the entries are committed", first_index=2, count=1, published=False, hint="elsewhere")

    with monkeypatch.context() as patch:
        patch.setattr(Log, "append", append)
        done = tiletree("sign", "a", "--log", "log", "--key", "s", "--json")
    assert done.code == 5
    assert (done.json["committed"], done.json["published"]) == (True, False)
    assert "call it again" in done.json["error"]["hint"]
    assert not Path("a.sigstore.json").exists()


def test_the_keys_are_told_apart(tiletree: Command, signer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """$TILETREE_KEY is the log's; --key is the signer's; a key of one kind in the place of the other is refused."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(Path("nothing is remembered").absolute()))
    monkeypatch.setenv("TILETREE_KEY", "k")
    assert tiletree("sign", "a", "--log", "log", "--key", "s").code == 0
    monkeypatch.delenv("TILETREE_KEY")
    assert tiletree("sign", "a", "--log", "log", "--key", "s", "--log-key", "k").code == 0
    assert "the key of a log, which signs no artifacts" in tiletree("sign", "a", "--log", "log", "--key", "k").err
    assert tiletree("sign", "a", "--log", "log", "--key", "s", "--log-key", "s").code == 1


# ---- attest


def test_attest(tiletree: Command, signer: str) -> None:
    """The statement is about the file, with cosign's name for its type; a URI gives the bundle no name."""
    Path("p.json").write_bytes(b'{"runDetails": {"n": 1.50}}\n')
    for type_, name in (("slsaprovenance1", "slsaprovenance1"), ("https://example.com/x/v1", "attestation")):
        tiletree.ok("attest", "a", "--predicate", "p.json", "--type", type_, "--log", "log", "--key", "s")
        envelope = bundle_at(f"a.{name}.sigstore.json").content
        assert isinstance(envelope, Envelope)
        statement = parse_statement(envelope.payload)
        assert statement.predicate_type in (type_, "https://slsa.dev/provenance/v1")
        assert statement.is_about({"SHA2_256": sha256(Path("a").read_bytes()).digest()})
        assert [subject.name for subject in statement.subjects] == ["a"]
        assert b'"n": 1.50' in envelope.payload
    assert tiletree.ok("info", "log", "--vkey", signer)["size"] == 4


def test_a_statement_is_published_when_asked(tiletree: Command, signer: str) -> None:
    """The log alone gives the envelope then, signature included; otherwise it holds nothing of the statement."""
    Path("p.json").write_bytes(b'{"secret": "s3cr3t"}')
    common = ("attest", "a", "--predicate", "p.json", "--log", "log", "--key", "s")
    found = []
    for type_, options in (("link", ()), ("vuln", ("--payload",))):
        (entry,) = tiletree.ok(*common, "--type", type_, *options)["entries"]
        found.append(tiletree("get", "log", "--uuid", entry["uuid"], "--payload", "--vkey", signer))
        stored = [path for path in Path("log").rglob("*") if path.is_file() and b"s3cr3t" in path.read_bytes()]
        assert len(stored) == bool(options)
    assert [done.code for done in found] == [3, 0]
    envelope = bundle_at("a.vuln.sigstore.json").content
    assert isinstance(envelope, Envelope)
    assert json.loads(found[1].out) == envelope.item
    assert tiletree.ok("audit", "log", "--vkey", signer)["findings"] == []


@pytest.mark.parametrize(
    ("predicate", "type_", "code", "says"),
    [
        (b"SPDXVersion: SPDX-2.3", "spdxjson", 1, "p: malformed predicate"),
        (b"{}", "nonsense", 2, "nonsense is no type of predicates"),
    ],
)
def test_what_is_not_attested(
    tiletree: Command, signer: str, predicate: bytes, type_: str, code: int, says: str
) -> None:
    """Nothing is logged."""
    Path("p").write_bytes(predicate)
    done = tiletree("attest", "a", "--predicate", "p", "--type", type_, "--log", "log", "--key", "s")
    assert done.code == code
    assert says in done.err
    assert tiletree.ok("info", "log", "--vkey", signer)["size"] == 2


# ---- verify


def test_what_is_signed_here_is_verified_here(tiletree: Command, signer: str) -> None:
    """With the files of `trust-root`, or the vkey alone; one byte more, another key or another log is refused."""
    Path("p").write_bytes(b"{}")
    tiletree.ok("sign", "a", "--log", "log", "--key", "s")
    tiletree.ok("attest", "a", "--predicate", "p", "--type", "link", "--log", "log", "--key", "s")
    tiletree.ok("trust-root", "log", "--out", "trust", "--vkey", signer)
    write_artifact_key(Path("t"), artifact_key(2))
    other = tiletree.ok("init", "other", "--origin", ORIGIN, "--key", "o")["vkey"]
    trusted = ("--trusted-root", "trust/trusted_root.json")
    for words in (("a",), ("a", "--bundle", "a.link.sigstore.json")):
        for trust in (trusted, ("--vkey", signer)):
            assert tiletree.ok("verify", *words, *trust, "--key", "s.pub")["verified"], (words, trust)
        assert tiletree("verify", *words, *trusted, "--key", "t.pub").code == 1
        assert tiletree("verify", *words, "--vkey", other, "--key", "s.pub").code == 1
    with Path("a").open("ab") as file:
        file.write(b"!")
    for words in (("a",), ("a", "--bundle", "a.link.sigstore.json")):
        assert tiletree("verify", *words, *trusted, "--key", "s.pub").code == 1


def test_in_a_bucket(s3: ObjectServer, tiletree: Command) -> None:
    """As in a directory: signed, attested with the statement published, read back, trusted since the day it began."""
    vkey = begin(tiletree, LOG, PRIVATE, "--key", "k", "--gzip")
    write_artifact_key(Path("s"), KEY)
    for name, data in (("a", b"a"), ("p", b"{}")):
        Path(name).write_bytes(data)
    tiletree.ok("sign", "a", "--log", LOG, "--key", "s")
    assert tiletree.ok("sign", "a", "--log", LOG, "--key", "s")["entries"][0]["already"]
    stated = ("attest", "a", "--predicate", "p", "--type", "link", "--payload")
    (entry,) = tiletree.ok(*stated, "--log", LOG, "--key", "s")["entries"]
    got = tiletree("get", LOG, "--uuid", entry["uuid"], "--payload", "--vkey", vkey)
    assert json.loads(got.out)["payloadType"] == "application/vnd.in-toto+json"
    assert tiletree.ok("trust-root", LOG, "--out", "trust", "--vkey", vkey)["start"].endswith("T00:00:00Z")
    for words in (("a",), ("a", "--bundle", "a.link.sigstore.json")):
        tiletree.ok("verify", *words, "--trusted-root", "trust/trusted_root.json", "--key", "s.pub")


# ---- upload


def test_upload(tiletree: Command, signer: str) -> None:
    """A signature that exists is logged by the file or its digest, once; it is the one that `sign` makes."""
    digest = sha256(Path("a").read_bytes()).digest()
    Path("sig").write_bytes(b64encode(KEY.sign_digest(digest)))
    first = tiletree.ok("sign", "a", "--log", "log", "--key", "s")["entries"][0]
    common = ("--log", "log", "--signature", "sig", "--pki-format", "x509")
    for words in (
        ("--artifact", "a", "--public-key", "s.pub"),
        ("--artifact-hash", f"sha256:{digest.hex()}", "--key", "s.pub", "-o", "made"),
        ("--artifact-hash", digest.hex(), "--key", "s.pub"),
    ):
        (entry,) = tiletree.ok("upload", *common, *words)["entries"]
        assert (entry["uuid"], entry["already"]) == (first["uuid"], True)
    assert Path("made").read_bytes() == Path("a.sigstore.json").read_bytes()
    assert tiletree("upload", *common, "--artifact", "b", "--key", "s.pub").code == 1
    for wrong in (("--artifact", "a", "--artifact-hash", digest.hex()), (), ("--artifact-hash", "sha512:00")):
        assert tiletree("upload", *common, *wrong, "--key", "s.pub").code == 2
    assert tiletree.ok("info", "log", "--vkey", signer)["size"] == 3


# ---- staple


def test_staple(tiletree: Command, signer: str) -> None:
    """The bundle gets its entry where it is, again with a newer proof; other files of the same name stay."""
    plain = sign_artifact(KEY, sha256(b"x").digest())
    Path("x.json").write_bytes(plain.data)
    assert tiletree("staple", "x.json", "--log", "log").code == 2
    done = tiletree.ok("staple", "x.json", "--log", "log", "--key", "s.pub", "-o", "y.json")
    assert Path("x.json").read_bytes() == plain.data
    for size in (3, 4):
        tiletree.ok("staple", "y.json", "--log", "log", "--key", "s.pub")
        proof = bundle_at("y.json").entries[0].proof
        assert proof is not None
        assert (proof.size, bundle_at("y.json").content) == (size, plain.content)
        tiletree.ok("add", "log", "--stdin-lines", "--key", "k", stdin=b"more")
    assert done["entries"][0]["bundle"] == "y.json"


def test_staple_a_certificate(tiletree: Command, signer: str) -> None:
    """It needs no key. One without a timestamp is logged, and what becomes of it is said."""
    leaf = authority().leaf(IDENTITY)
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256

    signature = leaf.key.sign(b"x", ec.ECDSA(SHA256()))
    message = MessageSignature("SHA2_256", sha256(b"x").digest(), signature)
    for stamps in ((), (authority().timestamp(signature),)):
        Path("x.json").write_bytes(Bundle(message, (leaf.der,), timestamps=stamps).data)
        done = tiletree.ok("staple", "x.json", "--log", "log")
        assert done.get("unstamped") == (None if stamps else True)
        assert bundle_at("x.json").timestamps == stamps


def test_staple_a_timestamp(tiletree: Command, signer: str) -> None:
    """A timestamp of its own file goes into the bundle, once; one of something else does not, and nothing is logged."""
    plain = sign_artifact(KEY, sha256(b"x").digest())
    Path("x.json").write_bytes(plain.data)
    stamps = [authority().timestamp(each) for each in (plain.signature, b"x")]
    for name, stamp in zip(("right", "wrong"), stamps, strict=True):
        Path(name).write_bytes(stamp)
    common = ("staple", "x.json", "--log", "log", "--key", "s.pub", "--timestamp")
    for name, problem in (("wrong", "of something else than the signature"), ("x.json", "malformed signed timestamp")):
        done = tiletree(*common, name)
        assert (done.code, problem in done.err) == (1, True), done
    assert tiletree.ok("info", "log", "--vkey", signer)["size"] == 2
    for _ in range(2):
        tiletree.ok(*common, "right")
        assert bundle_at("x.json").timestamps == (stamps[0],)


@pytest.mark.parametrize("spoil", ["signature", "json", "other log"])
def test_what_is_not_stapled(tiletree: Command, signer: str, spoil: str) -> None:
    """The bundle stays as it is, and nothing is logged."""
    tiletree.ok("init", "other", "--origin", "other.example.com", "--key", "o")
    plain = sign_artifact(KEY, sha256(b"x").digest())
    Path("x.json").write_bytes(plain.data)
    if spoil == "signature":
        document = json.loads(plain.data)
        document["messageSignature"]["messageDigest"]["digest"] = b64encode(bytes(32)).decode()
        Path("x.json").write_text(json.dumps(document))
    elif spoil == "json":
        Path("x.json").write_bytes(plain.data[:-1])
    else:
        tiletree.ok("staple", "x.json", "--log", "other", "--key", "s.pub")
    before = Path("x.json").read_bytes()
    done = tiletree("staple", "x.json", "--log", "log", "--key", "s.pub")
    assert done.code == (4 if spoil == "other log" else 1)
    assert Path("x.json").read_bytes() == before
    assert tiletree.ok("info", "log", "--vkey", signer)["size"] == 2


# ---- add


def test_add_says_where_its_entries_are_shown(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `sign` does; without credentials that an address may hold."""
    monkeypatch.setenv("TILETREE_URL", "https://me:s3cr3t@example.com/log?sig=s3cr3t")
    done = tiletree("add", "log", "a", "--key", "k", "--json")
    (entry,) = done.json["entries"]
    assert entry["uuid"] == entry["leaf_hash"]
    assert entry["url"].startswith("https://example.com/log")
    assert entry["url"].endswith(f"/#uuid={entry['uuid']}")
    assert "s3cr3t" not in done.out
