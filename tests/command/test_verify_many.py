"""`tiletree verify` of many files: by their names, by a list of checksums, at URLs, and by digest."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import fault_server as answers
from tests.support.command_line import ORIGIN, Command
from tests.support.fault_server import Server, serving
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.policy import Accepted, Policy
from tiles.read import web_file
from tiletree import listing

NAMES = ("a", "b", "c d")


def sha256(name: str) -> str:
    """Return the SHA-256 of a file in hex."""
    return hashlib.sha256(Path("dist", name).read_bytes()).hexdigest()


def write_list(*lines: str) -> None:
    """Write the list of checksums."""
    Path("dist/SHA256SUMS").write_text("".join(f"{line}\n" for line in lines))


@pytest.fixture
def dist(tiletree: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Return the command, where `dist` has files, their proofs and a list, and the vkey is in the environment."""
    monkeypatch.setenv("TILETREE_VKEY", tiletree.prepared(_released))
    return tiletree


def _released(tiletree: Command) -> str:
    vkey: str = tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k", "--no-page")["vkey"]
    Path("dist").mkdir()
    for name in NAMES:
        Path("dist", name).write_text(f"content of {name}\n")
    tiletree.ok("add", "log", *(f"dist/{name}" for name in NAMES), "--key", "k")
    for name in NAMES:
        tiletree.ok("prove", "log", f"dist/{name}", "-o", f"dist/{name}.tlog-proof", "--vkey", vkey)
    write_list(f"{sha256('a')}  a", f"{sha256('b')} *b", f"SHA256 (c d) = {sha256('c d')}")
    return vkey


@pytest.fixture
def server(dist: Command) -> Iterator[Server]:
    """Serve what is in `dist`."""
    with serving({path.name.replace(" ", "%20"): path.read_bytes() for path in Path("dist").iterdir()}) as server:
        yield server


def verified(document: dict[str, object]) -> dict[str, bool]:
    """Return what became of each file of a document."""
    return {file["file"]: file["verified"] for file in document["files"]}  # type: ignore[attr-defined]


LIST = ("verify", "--checksums", "dist/SHA256SUMS")


# ---- a list of checksums


def test_a_list(dist: Command) -> None:
    """Each file of a list is verified, by what stands beside it, from wherever the command is called."""
    done = dist(*LIST)
    assert (done.code, done.err) == (0, "")
    assert [line.partition(" is entry")[0] for line in done.out.splitlines()] == [
        *(f"verified: dist/{name}" for name in NAMES),
        "3 of 3 files verified",
    ]
    document = dist.ok(*LIST)
    assert [(file["file"], file["list"], file["line"]) for file in document["files"]] == [
        (f"dist/{name}", "dist/SHA256SUMS", line) for line, name in enumerate(NAMES, 1)
    ]
    os.chdir("dist")
    assert verified(dist.ok("verify", "--checksums", "SHA256SUMS", "a", "./b")) == dict.fromkeys(NAMES, True)


def test_the_others_are_verified_all_the_same(dist: Command) -> None:
    """Changed, absent, without a proof, with that of another file: each is said, and the summary names them."""
    Path("dist/a").write_text("changed")
    Path("dist/b").unlink()
    done = dist(*LIST)
    assert done.code == 1
    assert "not verified: dist/a: dist/a is not entry 0" in done.out
    assert "not verified: dist/b: dist/b is listed, and not there" in done.out
    assert "verified: dist/c d is entry 2" in done.out
    assert done.out.endswith("1 of 3 files verified; not verified: dist/a, dist/b\n")
    assert done.err.startswith("tiletree: 2 of 3 files not verified; dist/a: dist/a is not entry 0")
    Path("dist/a").write_text("content of a\n")
    done = dist(*LIST, "--json")
    assert done.code == 3
    assert verified(done.json) == {"dist/a": True, "dist/b": False, "dist/c d": True}
    Path("dist/b").write_text("content of b\n")
    Path("dist/c d.tlog-proof").write_bytes(Path("dist/b.tlog-proof").read_bytes())
    assert "dist/c d is not entry 1" in dist(*LIST).err


def test_what_is_proven_has_to_be_what_is_listed(dist: Command) -> None:
    """A file that is in the log, and is not the one of the list, does not verify."""
    write_list(f"{sha256('b')}  a", f"{sha256('b')}  b")
    done = dist(*LIST, "--json")
    assert done.code == 1
    assert verified(done.json) == {"dist/a": False, "dist/b": True}
    assert (
        f"dist/a is not the file of line 1 in dist/SHA256SUMS: its SHA-256 is {sha256('a')}"
        in (done.json["error"]["message"])
    )
    assert dist("verify", "dist/a", "dist/b", "--checksums", "dist/SHA256SUMS").code == 1  # named both ways


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "dist/SHA256SUMS is empty"),
        ("# made today\n", "it lists no file"),
        ("{a}  a\nnothing\n", "line 2: not a SHA-256 and a name"),
        ("{a}  a\n{a}  ../k\n", "line 2: a name that leads out of the folder of the list"),
        ("{a}  /etc/passwd\n", "line 1: a name that leads out of the folder of the list"),
        ("<!doctype html><html><title>404</title></html>", "is a web page"),
    ],
)
def test_lists_that_cannot_be_read(dist: Command, text: str, problem: str) -> None:
    """Nothing is verified by such a list, and the line is named."""
    Path("dist/SHA256SUMS").write_text(text.format(a=sha256("a")))
    done = dist(*LIST, "--json")
    assert done.code in (1, 3)
    assert problem in done.json["error"]["message"], done
    assert done.json["verified"] is False
    assert done.json["files"] == []


def test_a_list_that_is_logged_itself(dist: Command) -> None:
    """What stands beside the list speaks for the files beside which nothing stands; for these bytes of it alone."""
    dist.ok("add", "log", "dist/SHA256SUMS", "--key", "k")
    dist.ok("prove", "log", "dist/SHA256SUMS", "-o", "dist/SHA256SUMS.tlog-proof")
    Path("dist/b.tlog-proof").unlink()
    document = dist.ok(*LIST)
    assert [(file["checks"][0]["by"], file["checks"][0].get("through")) for file in document["files"]] == [
        ("dist/a.tlog-proof", None),
        ("dist/SHA256SUMS.tlog-proof", "dist/SHA256SUMS"),
        ("dist/c d.tlog-proof", None),
    ]
    assert "verified: dist/b is listed in dist/SHA256SUMS, which is entry 3 of log.example.com" in dist(*LIST).out
    Path("dist/b").write_text("changed")
    done = dist(*LIST)
    assert (done.code, "dist/b is not the file of line 2" in done.err) == (1, True)
    write_list(f"{sha256('a')}  a", f"{sha256('b')}  b", f"{sha256('c d')}  c d")
    done = dist(*LIST, "--json")  # now the list is another one
    assert done.code == 1
    assert verified(done.json) == {"dist/a": True, "dist/b": False, "dist/c d": True}
    assert "dist/SHA256SUMS is not entry 3" in done.json["error"]["message"]


def test_a_list_that_changes_while_it_is_read(dist: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list that is logged has to be the one that the digests were taken from."""
    dist.ok("add", "log", "dist/SHA256SUMS", "--key", "k")
    dist.ok("prove", "log", "dist/SHA256SUMS", "-o", "dist/SHA256SUMS.tlog-proof")
    Path("dist/b.tlog-proof").unlink()
    Path("dist/b").write_text("changed")
    other = f"{sha256('b')}  b\n".encode()
    monkeypatch.setattr(listing, "read_limited", lambda *_: other)
    done = dist(*LIST)
    assert (done.code, "dist/SHA256SUMS changed while it was read" in done.err) == (3, True)


def test_a_list_by_its_bundle(dist: Command) -> None:
    """Who has to have signed has to have signed the list; a gate decides by the names of files, and not by a list's."""
    dist.ok("key", "generate", "--signing", "--out", "s")
    for name in NAMES:
        Path(f"dist/{name}.tlog-proof").unlink()
    dist.ok("sign", "dist/SHA256SUMS", "--log", "log", "--log-key", "k", "--key", "s")
    assert dist.ok(*LIST, "--key", "s.pub")["files"][2]["checks"][0]["by"] == "dist/SHA256SUMS.sigstore.json"
    Path("gate").write_text("* key s.pub\n")
    assert dist(*LIST, "--require", "gate").code == 3
    dist.ok("key", "generate", "--signing", "--out", "other")
    assert dist(*LIST, "--key", "other.pub").code == 1
    assert dist(*LIST).code == 2  # a bundle is a signature, and nothing says whose it has to be


def test_what_a_list_may_lead_to(dist: Command) -> None:
    """A folder and a pipe are no files; a link that leads out is followed, and that is said."""
    Path("dist/a").rename("outside")
    Path("dist/a").symlink_to("../outside")
    done = dist(*LIST)
    assert (done.code, done.err) == (0, f"dist/a is a link that leads out of dist, to {Path('outside').resolve()}\n")
    Path("dist/a").unlink()
    os.mkfifo("dist/a")
    Path("dist/b").unlink()
    Path("dist/b").mkdir()
    done = dist(*LIST)
    assert done.code == 3
    assert "dist/a is no regular file" in done.out
    assert "dist/b is no regular file" in done.out


def test_names_that_look_like_something_else(dist: Command) -> None:
    """A listed name is that of a file, and never a digest, an address or an option."""
    os.chdir("dist")
    names = [f"sha256:{'0' * 64}", "sha256:", "https:x", "--vkey"]
    Path("SHA256SUMS").write_text("".join(f"{'0' * 64}  {name}\n" for name in [*names, "https://localhost/x", "./"]))
    for name in names:
        Path(name).write_text("content of a\n")
        Path(f"{name}.tlog-proof").write_bytes(Path("a.tlog-proof").read_bytes())
    done = dist("verify", "--checksums", "SHA256SUMS", "--json")
    messages = [file["error"]["message"] for file in done.json["files"]]
    shown = [name if name == "--vkey" else f"./{name}" for name in names]
    assert [message.partition(" of line")[0] for message in messages[:4]] == [f"{one} is not the file" for one in shown]
    assert "is listed, and not there" in messages[4]
    assert "there is neither ..tlog-proof" in messages[5]


# ---- files that are named


def test_files_and_what_proves_them(dist: Command) -> None:
    """`dist/*` names the proofs, too: they are left out, and that is said; the same file twice is one file."""
    Path("dist/SHA256SUMS").unlink()
    done = dist("verify", *sorted(map(str, Path("dist").iterdir())), "./dist/a")
    assert (done.code, done.err) == (
        0,
        "left out: 3 files that prove or sign other ones, such as dist/a.tlog-proof\n",
    )
    assert done.out.endswith("3 of 3 files verified\n")
    document = dist.ok("verify", "dist/a", "dist/a.tlog-proof")
    assert document["left_out"] == [{"path": "dist/a.tlog-proof", "why": "beside"}]
    done = dist("verify", "dist/a.tlog-proof")
    assert (done.code, "hint: name the file that it proves or signs" in done.err) == (2, True)
    assert len(dist.ok("verify", "dist/a", "dist/a")["files"]) == 1


def test_a_folder(dist: Command) -> None:
    """What `add` takes of a folder is what is verified of it; what is left out is said."""
    Path("dist/.hidden").write_text("hidden")
    Path("dist/link").symlink_to("a")
    Path("dist/sub/empty").mkdir(parents=True)
    Path("dist/sub/deep").write_text("deep")
    Path("dist/a.asc").write_text("a signature that was not logged")
    Path("dist/b.asc").write_text("one that was")
    dist.ok("add", "log", "dist/b.asc", "--key", "k", "--proofs")
    dist.ok("add", "log", "dist", "--key", "k", "--proofs")
    names = ["dist/SHA256SUMS", "dist/a", "dist/b", "dist/b.asc", "dist/c d", "dist/sub/deep"]
    document = dist.ok("verify", "dist")
    assert verified(document) == dict.fromkeys(names, True)
    left_out = {each["path"]: each["why"] for each in document["left_out"]}
    assert (left_out["dist/.hidden"], left_out["dist/link"], left_out["dist/a.asc"]) == ("hidden", "link", "beside")
    shell = sorted(str(path) for path in Path("dist").iterdir() if path.name[0] != ".")
    assert verified(dist.ok("verify", *shell[:-2], "dist/sub")) == dict.fromkeys(names, True)
    assert verified(dist.ok("verify", "dist/[ab]", *LIST[1:])) == dict.fromkeys(["dist/a", "dist/b", "dist/c d"], True)
    Path("dist/sub/deep").write_text("changed")
    done = dist("verify", "dist")
    assert (done.code, "not verified: dist/sub/deep" in done.out) == (1, True)
    done = dist("verify", "dist/sub/empty")
    assert (done.code, "there is no file to take; left out: 1 folder" in done.err) == (2, True)


def test_a_signature_that_is_listed(dist: Command) -> None:
    """A list that names signatures is held to them: what a folder leaves out is not left out of a list."""
    Path("dist/a.asc").write_text("a signature")
    write_list(f"{sha256('a')}  a", f"{sha256('a.asc')}  a.asc", f"{sha256('a.tlog-proof')}  a.tlog-proof")
    done = dist(*LIST, "--json")
    assert (done.code, verified(done.json)) == (3, {"dist/a": True, "dist/a.asc": False})


def test_a_proof_that_is_logged_itself(dist: Command) -> None:
    """A proof is a file like any other where the call says what it is verified by, or a proof stands beside it."""
    Path("p").write_bytes(Path("dist/a.tlog-proof").read_bytes())
    dist.ok("add", "log", "-", "--key", "k", stdin=Path("p").read_bytes())
    dist.ok("prove", "log", "--index", "3", "-o", "of-p")
    assert dist.ok("verify", "dist/a.tlog-proof", "--proof", "of-p")["index"] == 3
    Path("of-p").rename("dist/a.tlog-proof.tlog-proof")
    assert verified(dist.ok("verify", "dist/a.tlog-proof")) == {"dist/a.tlog-proof": True}


def test_what_cannot_be_read(dist: Command) -> None:
    """A proof that cannot be read, such as a folder of its name, keeps nobody from verifying the others."""
    Path("dist/a.tlog-proof").unlink()
    Path("dist/a.tlog-proof").mkdir()
    done = dist("verify", "dist/a", "dist/b")
    assert done.code == 3
    assert "not verified: dist/a: dist/a.tlog-proof cannot be read: Is a directory" in done.out
    assert "verified: dist/b is entry 1" in done.out


def test_one_checkpoint_is_verified_once(dist: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proofs of one tree cost one verification of its signatures; one of another tree costs another."""
    asked = []
    accept = Policy.accept

    def counted(self: Policy, signed: SignedCheckpoint, origin: str | None = None) -> Accepted:
        asked.append(signed.tree.size)
        return accept(self, signed, origin)

    dist.ok("add", "log", "k", "--key", "k")
    dist.ok("prove", "log", "dist/b", "-o", "dist/b.tlog-proof")
    monkeypatch.setattr(Policy, "accept", counted)
    dist.ok(*LIST)
    assert asked == [3, 4]
    dist.ok("key", "generate", "--signing", "--out", "s")
    dist.ok("sign", "dist/a", "dist/b", "--log", "log", "--log-key", "k", "--key", "s")
    asked.clear()
    dist.ok("verify", "dist/a", "dist/b", "--key", "s.pub")
    assert asked == [3, 6, 4]  # a proof each, and one checkpoint in both bundles


def test_a_digest_by_a_proof(dist: Command) -> None:
    """A proof that holds the entry tells the size of the file; any other one is of a file that has to be named."""
    Path("dist/n").write_text("named")
    dist.ok("add", "log", "dist/n", "--name", "--key", "k")
    dist.ok("prove", "log", "dist/n", "-o", "named")
    digest = f"sha256:{sha256('n')}"
    document = dist.ok("verify", digest, "--proof", "named")
    assert (document["index"], document["name"], document["matched"]) == (3, "n", "file")
    other = dist("verify", f"sha256:{sha256('b')}", "--proof", "named")
    assert (other.code, f"the proof is of {digest}" in other.err) == (1, True)
    plain = dist("verify", f"sha256:{sha256('a')}", "--proof", "dist/a.tlog-proof")
    assert (plain.code, "an entry that holds the size of the file" in plain.err) == (2, True)
    damaged = Path("named").read_text().replace("index 3", "index 2")
    Path("named").write_text(damaged)
    assert dist("verify", digest, "--proof", "named").code == 1


def test_a_log_that_nobody_trusts(dist: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whom to trust has to be said before anything can be: the call ends, at a file that is named."""
    monkeypatch.delenv("TILETREE_VKEY")
    dist.ok("key", "forget", "log")  # whoever began it trusts it
    done = dist("verify", "dist/a", "dist/b")
    assert done.code == 2
    assert done.err.startswith(f"tiletree: dist/a: no key is trusted for {ORIGIN}")
    dist.ok("key", "trust", "log", dist.ok("key", "show", "k")["vkey"])
    document = dist.ok("verify", "dist/a", "dist/b")
    assert {file["checks"][0]["trust"] for file in document["files"]} == {"remembered"}


@pytest.mark.parametrize(
    "words",
    [
        ["dist/a", "dist/b", "--proof", "dist/a.tlog-proof"],
        ["--checksums", "dist/SHA256SUMS", "--proof", "dist/a.tlog-proof"],
        ["--checksums", "dist/SHA256SUMS", "--fork", "dist"],
        ["--checksums", "none"],
        ["--checksums", "dist"],
        ["dist/a", "none"],
        ["-", "dist/a"],
        ["https://example.com"],
        ["dist/a", "--proof", "https://example.com/"],
        [],
    ],
)
def test_wrong_calls(dist: Command, words: list[str]) -> None:
    """Exit code 2, and nothing is verified."""
    done = dist("verify", *words)
    assert (done.code, done.out) == (2, ""), done


# ---- URLs


def test_files_at_urls(dist: Command, server: Server) -> None:
    """A file is verified where it is served, by what is served beside it; what was served is said by its digest."""
    document = dist.ok("verify", f"{server.url}/a", f"{server.url}/c%20d", "dist/b")
    assert verified(document) == {f"{server.url}/a": True, f"{server.url}/c%20d": True, "dist/b": True}
    (check,) = document["files"][0]["checks"]
    assert (check["by"], check["sha256"]) == (f"{server.url}/a.tlog-proof", sha256("a"))
    text = dist("verify", f"{server.url}/a").out
    assert f"sha256    {sha256('a')}" in text
    assert dist.ok("verify", "dist/a", "--proof", f"{server.url}/a.tlog-proof")["index"] == 0
    assert dist.ok("verify", f"{server.url}/a", "--proof", "dist/a.tlog-proof")["sha256"] == sha256("a")


def test_what_servers_do(dist: Command, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another file, none, too much, an error, half of it, a web page: each is said, and its code decides as ever."""
    monkeypatch.setattr(web_file, "MAX_FILE_SIZE", 1000)
    proof = Path("dist/a.tlog-proof").read_bytes()
    for name in ("other", "long", "half", "away", "page"):
        server.objects[f"{name}.tlog-proof"] = proof
    server.objects |= {"other": b"another file", "long": bytes(1001), "page.tlog-proof": b"<!doctype html><html>"}
    server.script |= {
        "/half": [answers.cut(b"content of a\n", 1)],
        "/away": [answers.status(302, Location="http://other.example.com/a")],
        "/trouble.tlog-proof": [answers.status(500)],
    }
    problems = {
        "other": (1, "other is not entry 0"),
        "long": (3, "more than 1000 bytes"),
        "half": (3, "the answer broke off"),
        "away": (3, "redirected to another server"),
        "page": (3, "page.tlog-proof is a web page"),
        "trouble": (3, "the server answers 500"),
        "none": (3, "there is neither"),
    }
    for name, (code, problem) in problems.items():
        done = dist("verify", f"{server.url}/{name}", "--json")
        assert done.code == code, (name, done)
        assert problem in done.json["error"]["message"], (name, done)
        assert done.json["verified"] is False
    done = dist("verify", *(f"{server.url}/{name}" for name in (*problems, "a")), "--json")
    assert done.code == 1
    assert [file["verified"] for file in done.json["files"]] == [False] * len(problems) + [True]


def test_no_credentials_of_a_url_are_shown(dist: Command, server: Server) -> None:
    """Neither in answers nor in errors, of a file, its proof, and what is not there."""
    secret = server.url.replace("//", "//me:word@")
    for words in (
        [f"{secret}/a?sig=word"],
        [f"{secret}/a?sig=word", f"{secret}/none?sig=word"],
        ["dist/a", "--proof", f"{secret}/a.tlog-proof?sig=word"],
        ["dist/b", "--proof", f"{secret}/a.tlog-proof?sig=word"],
        [f"{secret}/none?sig=word", "--proof", f"{secret}/none?sig=word"],
        [f"{secret}/a?sig=word", "--bundle", f"{secret}/a?sig=word", "--vkey", "x"],
    ):
        for option in ([], ["--json"]):
            done = dist("verify", *words, *option)
            assert "word" not in done.out + done.err, (words, done)


def test_a_file_that_changes_while_it_is_read(dist: Command, server: Server) -> None:
    """What the proof is of and what the bundle is of have to be the same bytes."""
    dist.ok("key", "generate", "--signing", "--out", "s")
    dist.ok("sign", "dist/a", "dist/b", "--log", "log", "--log-key", "k", "--key", "s")
    for name in ("a", "b"):
        server.objects[f"{name}.sigstore.json"] = Path(f"dist/{name}.sigstore.json").read_bytes()
    assert dist("verify", f"{server.url}/a", f"{server.url}/b", "--key", "s.pub").code == 0
    server.objects["a.sigstore.json"] = server.objects["b.sigstore.json"]
    server.script["/a"] = [answers.body(Path("dist", name).read_bytes()) for name in ("a", "b")]
    done = dist("verify", f"{server.url}/a", "--key", "s.pub")
    assert done.code == 3, done
    assert f"{server.url}/a changed while it was read" in done.err
