"""`tiletree search`: all entries that have what is looked for, newest first, or exit code 8."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.attestation_texts import EXAMPLE
from tests.support.certificate_texts import MAIL, OIDC, ONE, PARTS, WORKFLOW, certificate, der, issuer, names
from tests.support.command_line import ORIGIN, Command, begin_log, unchecked
from tests.support.entry_texts import rekor
from tests.support.indexed import changed, numbers
from tests.support.signed_text import LOG, key
from tiles.sigstore.image_signature import signed_digests

DATA = b"what it says\n"
HEX = sha256(DATA).hexdigest()


@pytest.fixture
def filled(tiletree: Command) -> str:
    """Return the vkey of a log that has one file under two names, without one, and as it is."""
    return tiletree.prepared(_fill)


def _fill(tiletree: Command) -> str:
    log = begin_log(tiletree)
    Path("app.whl").write_bytes(DATA)
    Path("ré 2").write_bytes(DATA)
    for options in (("app.whl",), ("app.whl", "--name"), ("ré 2", "--name"), ("app.whl", "--raw")):
        tiletree.ok("add", "log", *options, "--key", "k")
    return log


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (("app.whl",), [5, 4, 3, 2]),
        (("--sha256", HEX), [5, 4, 3, 2]),
        (("--sha256", HEX.upper()), [5, 4, 3, 2]),
        (("--name", "app.whl"), [3]),
        (("--name", "re\u0301 2"), [4]),
        (("--name", "app.whl", "--sha256", HEX), [3]),
        (("app.whl", "--name", "ré 2"), [4]),
        (("--kind", f"sha256/1={HEX}"), [5, 4, 3, 2]),
        (("--kind", "name/1=app.whl"), [3]),
        (("app.whl", "--before", "4"), [3, 2]),
        (("--sha", HEX, "--operator", "and"), [5, 4, 3, 2]),
        (("a", "--name", "app.whl", "--operator", "or"), [3, 0]),
        (("app.whl", "--most", "1"), [5]),
        (("a",), [0]),
    ],
)
def test_found(tiletree: Command, filled: str, asked: tuple[str, ...], found: list[int]) -> None:
    """Whatever the file is called now, and in whatever form it was logged."""
    document = tiletree.ok("search", "log", *asked, "--vkey", filled)
    assert [hit["index"] for hit in document["hits"]] == found
    assert (document["covered"], document["size"], document["proven"]) == (6, 6, True)
    assert document.get("more") == (3 if "--most" in asked else None)
    lines = tiletree("search", "log", *asked, "--vkey", filled).out.splitlines()
    assert [int(line.split()[0]) for line in lines if line[0].isdigit()] == found
    assert ("and 3 older ones or more: --before 5 shows them" in lines) == ("--most" in asked)


def found_in(document: dict[str, Any]) -> list[int]:
    """Return where the hits of a document are."""
    return [hit["index"] for hit in document["hits"]]


def test_any_of_several(tiletree: Command, filled: str) -> None:
    """--operator or: each entry once, newest first; what is left out is counted, and --before goes on from there."""
    either = ("search", "log", "a", "--sha", HEX, "--name", "app.whl", "--vkey", filled)
    assert tiletree(*either).code == 8
    assert found_in(tiletree.ok(*either, "--operator", "or")) == [5, 4, 3, 2, 0]
    first = tiletree.ok(*either, "--operator", "or", "--most", 2)
    assert (found_in(first), first["more"]) == ([5, 4], 2)
    assert found_in(tiletree.ok(*either, "--operator", "or", "--before", 4, "--most", 3)) == [3, 2, 0]
    nothing = ("search", "log", "--sha", "00" * 32, "--name", "none", "--operator", "or", "--vkey", filled)
    assert tiletree(*nothing).code == 8


SIGNED: list[tuple[tuple[str, ...], list[int]]] = [
    (("--key", "a.pem"), [3]),
    (("--key", "cert.der"), [3]),
    (("--identity", "Dev@EXAMPLE.com"), [2]),
    (("--identity", "@example.com"), [2]),
    (("--identity", "https://github.com/Org/repo/"), [3]),
    (("--identity", "https://github.com"), [3]),
    (("--issuer", "https://token.actions.githubusercontent.com"), [3, 2]),
    (("--issuer", "https://token.actions.githubusercontent.com", "--identity", "@example.com"), [2]),
    (("--subject", "AB" * 32), [4]),
]


def test_signed(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries are found by who signed them and what they are about; what a certificate says is shown as its claim."""
    key = ec.derive_private_key(7, ec.SECP256R1()).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    made = certificate(names(der(0x86, WORKFLOW)), issuer(OIDC), parts=(*PARTS[:5], spki))
    Path("a.pem").write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    Path("cert.der").write_bytes(made)
    entries = [rekor(verifier="x509Certificate", raw=one).encode() for one in (ONE, made)]
    Path("lines").write_bytes(b"".join(one + b"\n" for one in (*entries, EXAMPLE.encode())))
    unchecked(monkeypatch)
    tiletree.ok("add", "log", "--lines", "lines", "--key", "k")
    claimed = {2: [MAIL.decode()], 3: [WORKFLOW.decode()]}
    for asked, found in SIGNED:
        hits = tiletree.ok("search", "log", *asked, "--vkey", log)["hits"]
        assert [hit["index"] for hit in hits] == found
        for hit in hits:
            assert hit.get("claimed", {}).get("identities") == claimed.get(hit["index"])
    lines = tiletree("search", "log", "--identity", "@example.com", "--vkey", log).out
    assert f"hashedrekord  claimed by the certificate: {MAIL.decode()}, issuer {OIDC.decode()}" in lines


def test_of_an_image(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the image's digest, of which nothing stands in the entry; who asks for it as another digest is told."""
    signed = [rekor(digest=each).encode() for each in signed_digests(bytes.fromhex(HEX))]
    for number, entry in enumerate(signed):
        Path(f"{number}.json").write_bytes(entry)
    unchecked(monkeypatch)
    tiletree.ok("add", "log", "0.json", "1.json", "--raw", "--key", "k")
    for image in (f"sha256:{HEX}", f"registry.example.com/app@sha256:{HEX.upper()}"):
        document = tiletree.ok("search", "log", "--image", image, "--vkey", log)
        assert [hit["index"] for hit in document["hits"]] == [3, 2]
    assert "if it is the digest of an image, --image" in tiletree("search", "log", "--sha256", HEX, "--vkey", log).err
    for options in (("--image", "app:1.0"), ("--image", f"sha256:{HEX}", "--prove", "p")):
        assert tiletree("search", "log", *options, "--vkey", log).code == 2


def test_by_leaf_hash(tiletree: Command, filled: str) -> None:
    """What a hit says of itself finds it again."""
    (hit,) = tiletree.ok("search", "log", "--name", "ré 2", "--vkey", filled)["hits"]
    assert hit["kind"] == "file"
    assert {key["kind"]: key["value"] for key in hit["keys"]} == {
        "leaf/1": hit["leaf_hash"],
        "sha256/1": HEX,
        "name/1": "ré 2",
    }
    assert tiletree.ok("search", "log", "--leaf", hit["leaf_hash"], "--vkey", filled)["hits"] == [hit]
    for one in hit["keys"]:
        same = tiletree.ok("search", "log", "--kind", f"{one['kind']}={one['value']}", "--vkey", filled)
        assert hit in same["hits"]


def test_not_there(tiletree: Command, filled: str) -> None:
    """Exit code 8: all entries were looked at, and the document says so."""
    Path("other").write_bytes(b"never logged")
    for asked in (("other",), ("--name", "App.whl"), ("--name", "app.whl", "--before", "3"), ("--leaf", HEX)):
        done = tiletree("search", "log", *asked, "--vkey", filled, "--json")
        assert done.code == 8
        assert done.json["error"]["kind"] == "NotLogged"
        assert (done.json["hits"], done.json["proven"], done.json["covered"]) == ([], True, 6)
        assert f"not among the 6 entries of {ORIGIN}" in done.err


def test_the_newest(tiletree: Command, filled: str) -> None:
    """If nothing is named to be looked for, the newest entries are listed, then older ones; a log may have none."""
    done = tiletree("search", "log", "--most", "2", "--vkey", filled)
    first, second, more = done.out.splitlines()
    assert [line.split("  ")[::2] for line in (first, second)] == [["5", "raw"], ["4", "file"]]
    assert second.endswith("  ré 2")
    assert more == "and 4 older ones: --before 4 shows them"
    older = tiletree.ok("search", "log", "--before", "4", "--most", "3", "--vkey", filled)
    assert [hit["index"] for hit in older["hits"]] == [3, 2, 1]
    assert (older["more"], older["proven"], older["covered"]) == (1, True, 6)
    tiletree.ok("init", "empty", "--origin", "empty.example.com", "--key", "e")
    assert tiletree.ok("search", "empty")["hits"] == []


def test_names_that_were_not_logged(tiletree: Command, filled: str) -> None:
    """Whoever looks for a name is told that files have one only if it was logged."""
    assert "only if `add --name` logged it" in tiletree("search", "log", "--name", "none", "--vkey", filled).err


def test_a_damaged_log(tiletree: Command, filled: str) -> None:
    """Nothing is said to be absent from a log that does not verify."""
    for path in Path("log/tile/entries").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-1] + b"?")
    done = tiletree("search", "log", "--name", "nobody", "--vkey", filled, "--json")
    assert done.code == 1
    assert "proven" not in done.json


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("--prove", "p"), "name a file, or what to look for"),
        (("--sha256", "12"), "64 hexadecimal digits"),
        (("--kind", "name/1"), "KIND=VALUE"),
        (("--kind", "identity/2=a"), "no entry is found by identity/2"),
        (("--identity", "a b"), "without spaces"),
        (("--subject", "12"), "40 to 128 hexadecimal digits"),
        (("--key", "a"), "neither a public key nor a certificate"),
        (("--name", "a/b"), "no slash"),
    ],
)
def test_wrong_calls(tiletree: Command, log: str, asked: tuple[str, ...], message: str) -> None:
    """Nothing is read for them."""
    done = tiletree("search", "log", *asked, "--vkey", log)
    assert (done.code, message in done.err) == (2, True), done


def test_a_large_log(tiletree: Command, filled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """--scan looks through it."""
    monkeypatch.setattr("tiles.index.scan.SCAN_LIMIT", 5)
    done = tiletree("search", "log", "app.whl", "--vkey", filled)
    assert (done.code, "--scan" in done.err) == (2, True)
    assert len(tiletree.ok("search", "log", "app.whl", "--scan", "--vkey", filled)["hits"]) == 4


def test_proved(tiletree: Command, filled: str) -> None:
    """A search proof is good offline: with its hits, newest first, or with exit code 8 if there are none."""
    for asked, found in ((("--sha256", HEX), [5, 4, 3, 2]), (("--name", "ré 2"), [4]), (("--name", "nobody"), [])):
        done = tiletree("search", "log", *asked, "--prove", "q", "--vkey", filled, "--json")
        assert (done.code, [hit["index"] for hit in done.json["hits"]]) == (0 if found else 8, found)
        assert (done.json["proven"], done.json["path"]) == (True, "q")
        verified = tiletree("verify", "--search-proof", "q", "--vkey", filled, "--json")
        assert verified.code == done.code
        assert [hit["index"] for hit in verified.json["hits"]] == found
        assert [hit["leaf_hash"] for hit in verified.json["hits"]] == [hit["leaf_hash"] for hit in done.json["hits"]]
        assert (verified.json["verified"], verified.json["size"], verified.json["covered"]) == (True, 6, 0)
        assert verified.json["looked_for"]["value"] == asked[1]
    (leaf,) = tiletree.ok("search", "log", "--name", "ré 2", "--vkey", filled)["hits"]
    tiletree.ok("search", "log", "--leaf", leaf["leaf_hash"], "--prove", "q", "--vkey", filled)
    assert tiletree.ok("verify", "--search-proof", "q", "--vkey", filled)["hits"][0]["leaf_hash"] == leaf["leaf_hash"]
    assert "4  " in tiletree("verify", "--search-proof", "q", "--vkey", filled).out
    data = Path("q").read_bytes()
    Path("q").write_bytes(data.replace(b"value ", b"value A", 1))
    done = tiletree("verify", "--search-proof", "q", "--vkey", filled, "--json")
    assert (done.code, done.json["verified"]) == (1, False)
    Path("q").write_bytes(data)
    other = tiletree("key", "generate", ORIGIN, "--out", "other", "--json").json["vkey"]
    assert tiletree("verify", "--search-proof", "q", "--vkey", other).code == 1
    for wrong in (("--sha256", HEX, "--name", "a", "--prove", "q"), ("--sha256", HEX, "--prove", "q", "--before", "3")):
        assert tiletree("search", "log", *wrong, "--vkey", filled).code == 2
    assert tiletree("verify", "app.whl", "--search-proof", "q", "--vkey", filled).code == 2


def test_an_index_of_somebody_else(tiletree: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """It proves that something is not there to those who name its key, offline too; for others it leads to hits."""
    for path, data in numbers().items():
        if not path.startswith("index/"):
            Path("log", path).parent.mkdir(parents=True, exist_ok=True)
            Path("log", path).write_bytes(data)
    monkeypatch.setattr("tiles.index.scan.SCAN_LIMIT", 1000)
    vkey = LOG.verifier.vkey
    mine = tiletree("key", "generate", "me.example.com", "--out", "mine", "--json").json["vkey"]
    tiletree.ok("index", "build", "log", "place", "--key", "mine", "--vkey", vkey)
    assert tiletree("search", "log", "--name", "nobody", "--vkey", vkey).code == 2
    by = ("--index", "place", "--index-key", mine)
    assert tiletree("search", "log", "--name", "nobody", *by, "--vkey", vkey).code == 8
    assert len(tiletree.ok("search", "log", "--name", "file-200", *by, "--vkey", vkey)["hits"]) == 1
    doubted = tiletree("search", "log", "--name", "nobody", *by[:2], "--vkey", vkey)
    assert (doubted.code, "nobody is named whose index of this log is believed" in doubted.err) == (3, True)
    assert tiletree("search", "log", "--name", "nobody", "--prove", "q", *by, "--vkey", vkey).code == 8
    assert tiletree("verify", "--search-proof", "q", "--index-key", mine, "--vkey", vkey).code == 8
    assert tiletree("verify", "--search-proof", "q", "--vkey", vkey).code == 1
    for wrong in (("--index-key", mine), ("--index", "place", "--index-key", "x"), ("--index", "nowhere")):
        assert tiletree("search", "log", "--name", "nobody", *wrong, "--vkey", vkey).code in (2, 3), wrong
    assert tiletree("verify", "a", "--index-key", mine, "--vkey", vkey).code == 2


def test_by_file_or_digest(tiletree: Command, filled: str) -> None:
    """`get` and `prove` take a file, or its digest; what is not there is exit code 8, what is no file a wrong call."""
    Path("42").write_bytes(b"a file whose name is a number")
    Path("other").write_bytes(b"never logged")
    for named, index in (("app.whl", 2), (f"sha256:{HEX}", 2), ("2", 2)):
        assert tiletree.ok("get", "log", named, "--vkey", filled)["index"] == index
    for named in ("app.whl", f"sha256:{HEX}"):
        assert tiletree.ok("prove", "log", named, "-o", "q", "--vkey", filled)["index"] == 2
        tiletree.ok("verify", "app.whl", "--proof", "q", "--vkey", filled)
    for command in ("get", "prove"):
        for named, code in (("other", 8), (f"sha256:{'0' * 64}", 8), ("./42", 8), ("sha256:12", 2), ("nowhere", 2)):
            assert tiletree(command, "log", named, "--vkey", filled).code == code, named
    assert tiletree("get", "log", "42", "--vkey", filled).code == 2


def test_by_an_index(tiletree: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index proves that there are no other hits in a large log; where it cannot, nothing is claimed: exit code 3."""
    monkeypatch.setattr("tiles.index.scan.SCAN_LIMIT", 1000)
    vkey, head = LOG.verifier.vkey, Path("large/index/name/1/head")
    for path, data in numbers(5000, 4096).items():
        Path("large", path).parent.mkdir(parents=True, exist_ok=True)
        Path("large", path).write_bytes(data)
    found = tiletree.ok("search", "large", "--name", "file-200", "--vkey", vkey, "--prove", "q")
    assert ([hit["index"] for hit in found["hits"]], found["covered"], found["proven"]) == ([800], 5000, True)
    assert tiletree.ok("verify", "--search-proof", "q", "--vkey", vkey)["covered"] == 4096
    assert tiletree.ok("search", "large", "--name", "file-200", "--vkey", vkey)["hits"] == found["hits"]
    absent = ("search", "large", "--name", "nobody", "--vkey", vkey, "--json")
    assert (tiletree(*absent).code, tiletree(*absent).json["proven"]) == (8, True)
    sound = head.read_bytes()
    for data, code, problem in (
        (
            changed(numbers(5000, 4096), "name/1", by=(key("other.example.com", 5),))[str(head)[6:]],
            3,
            "proves no absence",
        ),
        (b"no head", 2, "is not used"),
        (sound.replace(b"4096", b"4095", 1), 2, "is not used"),
    ):
        head.write_bytes(data)
        done = tiletree(*absent)
        assert (done.code, problem in done.json["index_problems"][0]) == (code, True)
        assert done.json.get("proven", False) is False
    head.write_bytes(sound)
    Path("large/index/name/1/0/000/000").write_bytes(b"")
    assert (tiletree(*absent).code, tiletree(*absent).json["proven"]) == (1, False)
    Path("large/index/name/1/0/000/000").unlink()
    done = tiletree(*absent)
    assert (done.code, "cannot be used" in done.json["unproven"]) == (3, True)
    assert tiletree(*absent[:-1], "--prove", "q").code == 3
    assert (tiletree(*absent, "--scan").code, tiletree(*absent, "--scan").json["proven"]) == (8, True)
