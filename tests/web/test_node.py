"""The JavaScript verifier in Node, reading logs over HTTP as servers really answer."""

from __future__ import annotations

import json
import subprocess
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.node import Script, Session, node
from tests.support.readers import entry, make_log
from tests.support.signed_text import LOG
from tests.support.web_logs import SIX
from tests.support.web_server import LogServer
from tiles.notes.note import Signature
from tiles.tree.layout import CHECKPOINT

pytest_plugins = ["tests.support.web_fixtures"]

WEB = Path(__file__).resolve().parents[2] / "web"


READ = "print(new TextDecoder().decode(await log.entry(280)));"


@pytest.mark.parametrize("gzipped", [False, True])
def test_an_entry(script: Script, server: LogServer, gzipped: bool) -> None:
    """An entry is read, whether bundles are sent as they are or gzip-encoded."""
    server.gzipped = gzipped
    assert script(READ) == entry(280).decode()


@pytest.mark.parametrize("missing", [404, 410, 403])
def test_partial_tiles_that_are_gone(script: Script, server: LogServer, missing: int) -> None:
    """404, 410 and 403 for a partial tile: the full one is read instead."""
    server.missing = missing
    server.objects = {path: data for path, data in SIX.items() if ".p/44" not in path}
    server.objects[CHECKPOINT] = make_log(300)[CHECKPOINT]
    assert script(READ) == entry(280).decode()


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (CHECKPOINT, 404, "NotFound"),
        (CHECKPOINT, 403, "AccessError"),
        (CHECKPOINT, 500, "AccessError"),
        ("tile/0/001", 403, "NotFound"),
        ("tile/0/001", 503, "AccessError"),
        ("tile/entries/001", 404, "NotFound"),
    ],
)
def test_answers(script: Script, server: LogServer, path: str, status: int, code: str) -> None:
    """What a server answers instead of an object is the way's trouble, not the log's."""
    server.status[path] = status
    assert script(READ) == code


@pytest.mark.parametrize(
    ("path", "data", "code"),
    [
        ("tile/0/001", b"<!doctype html>", "AccessError"),
        ("tile/0/001", bytes(16_384), "TileError"),
        ("tile/0/001", bytes(16_385), "AccessError"),
        ("tile/entries/001", b"<!doctype html>", "AccessError"),
        (CHECKPOINT, b"<!doctype html>", "AccessError"),
        (CHECKPOINT, b"", "AccessError"),
        (CHECKPOINT, bytes(1 << 20), "Malformed"),
        (CHECKPOINT, bytes((1 << 20) + 1), "AccessError"),
    ],
)
def test_other_contents(script: Script, server: LogServer, path: str, data: bytes, code: str) -> None:
    """A wrong object is refused; one far too long is not read to its end."""
    server.objects[path] = data
    assert script(READ) == code


def test_a_bomb(script: Script, server: LogServer) -> None:
    """A bundle that is small when encoded and endless when decoded is not read to its end."""
    server.gzipped = True
    server.objects["tile/entries/001"] = bytes(20_000_000)
    assert script(READ) == "AccessError"


def test_numbers(script: Script, server: LogServer) -> None:
    """Indexes may be numbers or BigInts, and nothing else."""
    for index, said in (
        ("280", entry(280).decode()),
        ("280n", entry(280).decode()),
        ("1.5", "UsageError"),
        ("'280'", "UsageError"),
        ("600", "UsageError"),
        ("-1", "UsageError"),
        ("2 ** 60", "UsageError"),
    ):
        assert script(READ.replace("280", index)) == said


def test_what_the_reader_asks_for(script: Script, server: LogServer) -> None:
    """One proof takes the checkpoint, the edge and the tiles above one leaf, each once."""
    script("await log.prove(3); await log.prove(4);")
    assert sorted(server.asked) == [CHECKPOINT, "tile/0/000", "tile/0/002.p/88", "tile/1/000.p/2"]


def test_looking_through_all(script: Script, server: LogServer) -> None:
    """All leaf hashes are read, each level-0 tile once, and proofs go on to work."""
    body = """
        let count = 0;
        for await (const [, hashes] of log.leaves()) count += hashes.length;
        await log.prove(3);
        print(count);
    """
    assert script(body) == "600"
    assert len(server.asked) == len(set(server.asked))


def test_a_point_off_its_curve(session: Session) -> None:
    """A key that is none is refused by the core when it is parsed; here no signature of it is right."""
    private = ec.derive_private_key(12345, ec.SECP256R1())
    spki = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    wrong = spki[:-1] + bytes([spki[-1] ^ 1])
    key_id = sha256(wrong).digest()[:4]
    line = Signature("ecdsa.example.com", key_id, private.sign(b"text\n", ec.ECDSA(SHA256()))).line
    vkey = f"ecdsa.example.com+{key_id.hex()}+{b64encode(bytes([2]) + wrong).decode()}"
    said = session.run(f"""
        const note = parseNote(utf8({json.dumps(f"text{chr(10)}{chr(10)}{line}{chr(10)}")}));
        await verifyNote(note, [parseVkey({json.dumps(vkey)})]);
    """)
    assert said == "SignatureError"


@pytest.mark.parametrize("folder", ["rekor2-happy-path", "rekor2-checkpoint-cosigned", "happy-path-v0.3"])
def test_names_in_certificates(session: Session, shared_vectors: Path, folder: str) -> None:
    """A hashedrekord is described with its digest and the names in its certificate, as an X.509 parser finds them."""
    bundle = json.loads((shared_vectors / "sigstore-bundles" / folder / "bundle.sigstore.json").read_bytes())
    material = bundle["verificationMaterial"]
    certificate = x509.load_der_x509_certificate(b64decode(material["certificate"]["rawBytes"]))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    expected = [name.value for name in names if isinstance(name, x509.RFC822Name | x509.UniformResourceIdentifier)]
    body = material["tlogEntries"][0]["canonicalizedBody"]
    said = session.run(f"""
        const {{ kind, rows }} = describe(Uint8Array.from(atob({json.dumps(body)}), (octet) => octet.charCodeAt(0)));
        print(JSON.stringify([kind, rows]));
    """)
    kind, rows = json.loads(said)
    assert kind == "hashedrekord" + (" of Rekor v1" if folder == "happy-path-v0.3" else "")
    assert [value for label, value in rows if label == "Identity, claimed by the certificate"] == expected
    assert expected
    assert ["Issuer, claimed by the certificate", "https://token.actions.githubusercontent.com"] in rows
    assert "Commit, claimed by the certificate" in [label for label, _ in rows]
    digest = b64decode(bundle["messageSignature"]["messageDigest"]["digest"]).hex()
    assert digest in [value.removeprefix("sha256 ") for label, value in rows if label == "Digest"]


def hashed(value: str) -> dict[str, str]:
    """Return a digest as Rekor v1 has it."""
    return {"algorithm": "sha256", "value": value * 64}


PEM = b64encode(b"-----BEGIN PUBLIC KEY-----\nAAEC\n-----END PUBLIC KEY-----\n").decode()
KEY_ROW = ["Key, its SHA-256", sha256(b"\0\1\2").hexdigest()]
OLD_KINDS: dict[str, tuple[str, dict[str, Any], list[list[str]]]] = {  # kind → version, spec, rows
    "hashedrekord": ("0.0.1", {"data": {"hash": hashed("a")}, "signature": {"publicKey": {"content": PEM}}},
                     [["Digest", "sha256 " + "a" * 64], KEY_ROW]),
    "rekord": ("0.0.1", {"data": {"hash": hashed("b")}, "signature": {"format": "pgp"}},
               [["Digest", "sha256 " + "b" * 64]]),
    "dsse": ("0.0.1", {"envelopeHash": hashed("c"), "payloadHash": hashed("d"), "signatures": [{"verifier": PEM}]},
             [["Digest of envelope", "sha256 " + "c" * 64], ["Digest of payload", "sha256 " + "d" * 64], KEY_ROW]),
    "intoto": ("0.0.2", {"content": {"hash": hashed("e"), "envelope": {"signatures": [{"publicKey": PEM}]}}},
               [["Digest of content", "sha256 " + "e" * 64], KEY_ROW]),
    "rpm": ("0.0.1", {"package": {"hash": hashed("f")}}, [["Digest of package", "sha256 " + "f" * 64]]),
    "alpine": ("0.0.1", {"package": {"hash": hashed("0")}}, [["Digest of package", "sha256 " + "0" * 64]]),
    "jar": ("0.0.1", {"archive": {"hash": hashed("1")}}, [["Digest of archive", "sha256 " + "1" * 64]]),
    "helm": ("0.0.1", {"chart": {"hash": hashed("2")}}, [["Digest of chart", "sha256 " + "2" * 64]]),
    "tuf": ("0.0.1", {"root": {"content": {}}}, []),
    "cose": ("0.0.1", {"data": {"payloadHash": hashed("3")}}, [["Digest of payload", "sha256 " + "3" * 64]]),
}  # fmt: skip


def test_old_kinds(session: Session) -> None:
    """Entries of kinds that Rekor v1 had, and dsse of v2, are shown with what can be read of them."""
    entries = [{"apiVersion": version, "kind": kind, "spec": spec} for kind, (version, spec, _) in OLD_KINDS.items()]
    payload = {"payloadHash": {"algorithm": "SHA2_256", "digest": b64encode(b"4" * 32).decode()}}
    entries.append({"apiVersion": "0.0.2", "kind": "dsse", "spec": {"dsseV002": payload}})
    said = json.loads(
        session.run(f"print(JSON.stringify({json.dumps(entries)}.map((one) => describe(utf8(JSON.stringify(one))))));")
    )
    expected = [
        (f"{kind} of Rekor v1", [["Version", version], *rows]) for kind, (version, _, rows) in OLD_KINDS.items()
    ]
    digest = f"SHA2_256 {(b'4' * 32).hex()}"
    expected.append(
        ("dsse of Rekor v2, not in the form that it has now", [["Version", "0.0.2"], ["Digest of payload", digest]])
    )
    assert [(one["kind"], one["rows"]) for one in said] == expected


EXAMPLE = """\
import { Log, httpFetcher } from "./web/verifier/log.js";
import { parseVkey, policyFor } from "./web/verifier/tlog.js";

const log = new Log(httpFetcher("https://log.example.com"), policyFor(parseVkey(process.argv[2])));
const entry = await log.entry(0); // throws if anything does not hold
console.log(new TextDecoder().decode(entry));
"""


def test_the_example(server: LogServer, tmp_path: Path) -> None:
    """Five lines of a script lead to a verified entry; it is the example in docs/verify.md."""
    assert f"```js\n{EXAMPLE}```" in (WEB.parent / "docs" / "verify.md").read_text(encoding="utf-8")
    path = tmp_path / "example.mjs"
    path.write_text(EXAMPLE.replace("./web/", f"{WEB.as_uri()}/").replace("https://log.example.com", server.url))
    done = subprocess.run([node(), path, LOG.verifier.vkey], capture_output=True, text=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == (f"{entry(0).decode()}\n", "")
