"""`tiletree add --proofs` and `prove --beside`: the proof of each file beside it, and what keeps it from being so."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.command_line import ORIGIN, WITNESS, Command
from tiles.errors import AccessError
from tiles.notes.tlog_proof import parse_tlog_proof
from tiletree import proof_files

KEY = ("--key", "k")


@pytest.fixture
def dist(tiletree: Command, log: str) -> str:
    """Return the vkey of a log, beside a folder with three files of a release."""
    for name in ("app.whl", "app.tar.gz", "sub/app.whl"):
        path = Path("dist", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return log


def proofs() -> list[str]:
    """Return the proof files that are there."""
    return sorted(str(path) for path in Path().rglob("*.tlog-proof"))


def size_of(path: str) -> int:
    """Return the size of the tree that a proof is of."""
    return parse_tlog_proof(Path(path).read_bytes()).checkpoint.tree.size


def test_beside_each_file(tiletree: Command, dist: str) -> None:
    """Each proof verifies without being named; the next call leaves proofs out, and keeps those that verify."""
    done = tiletree.ok("add", "log", "dist", "--proofs", *KEY)
    assert (done["written"], done["already"], done["size"]) == (3, 0, 5)
    assert done["proofs"] == [
        {"file": f"dist/{name}", "index": index, "path": f"dist/{name}.tlog-proof"}
        for index, name in enumerate(("app.tar.gz", "app.whl", "sub/app.whl"), 2)
    ]
    assert tiletree.ok("verify", "dist/app.whl", "dist/sub/app.whl", "--vkey", dist)["verified"]
    before = {path: Path(path).read_bytes() for path in proofs()}
    Path("dist/new").write_text("new")
    again = tiletree.ok("add", "log", "dist/*", "--proofs", *KEY)
    assert (again["written"], again["already"], again["size"]) == (1, 3, 6)
    assert [each["path"] for each in again["proofs"] if "kept" in each] == list(before)
    assert [each["path"] for each in again["left_out"]] == list(before)
    assert {path: Path(path).read_bytes() for path in before} == before
    assert [path for path in Path("dist").rglob("*") if path.name.startswith(".")] == []


def test_a_file_that_was_made_again(tiletree: Command, dist: str) -> None:
    """A proof that is there and is of other bytes, or of another kind of entry, is replaced."""
    tiletree.ok("add", "log", "dist", "--proofs", *KEY)
    Path("dist/app.whl").write_text("built again")
    done = tiletree("add", "log", "dist", "--proofs", *KEY, "--json", "--quiet")
    assert done.json["written"] == 1
    assert "replaced 1 proof of other entries, such as that of dist/app.whl, entry 3: it has" in done.err
    assert "left out" not in done.err  # what is left out of every release is nothing for cron to mail
    assert done.json["left_out"]
    assert tiletree.ok("verify", "dist/app.whl", "--vkey", dist)["verified"]
    assert tiletree.ok("add", "log", "dist/app.whl", "--proofs", "--name", *KEY)["written"] == 1
    assert tiletree.ok("verify", "dist/app.whl", "--vkey", dist)["files"][0]["checks"][0]["matched"] == "file"
    made = Path("dist/app.whl.tlog-proof").read_bytes()
    tiletree.ok("prove", "log", "--index", 6, "-o", "dist/app.whl.tlog-proof")  # which does not say the name
    assert tiletree.ok("add", "log", "dist/app.whl", "--proofs", "--name", *KEY)["written"] == 1
    assert Path("dist/app.whl.tlog-proof").read_bytes() == made
    assert tiletree.ok("add", "log", "dist/app.whl", "--proofs", "--blind", *KEY)["written"] == 1
    assert tiletree.ok("verify", "dist/app.whl", "--vkey", dist)["files"][0]["checks"][0]["matched"] == "blinded"
    assert tiletree.ok("add", "log", "dist/app.whl", "--proofs", "--blind", *KEY)["written"] == 0


def test_a_proof_of_another_history(tiletree: Command, dist: str) -> None:
    """One that the log's key has signed in another history is neither kept as good nor overwritten: it is evidence."""
    for part in ("log", "log.private", "k.anchor"):
        shutil.copytree(part, f"aside.{part}")
    tiletree.ok("add", "log", "dist", "--proofs", *KEY)
    there = Path("dist/app.whl.tlog-proof").read_bytes()
    for part in ("log", "log.private", "k.anchor"):  # a backup is put back, anchor and all
        shutil.rmtree(part)
        Path(f"aside.{part}").rename(part)
    Path("other").write_text("other")
    tiletree.ok("add", "log", "other", *KEY)
    Path("dist/app.tar.gz.tlog-proof").unlink()
    done = tiletree("add", "log", "dist", "--proofs", *KEY, "--json")
    assert (done.code, done.json["error"]["kind"], done.json["size"]) == (7, "ForkError", 6)
    assert [each["what"] for each in done.json["unproven"]] == ["dist/app.whl", "dist/sub/app.whl"]
    assert "the evidence is in " in done.err
    assert Path("dist/app.whl.tlog-proof").read_bytes() == there
    assert tiletree("verify", "dist/app.tar.gz", "--vkey", dist, "--log", "log").code == 0
    (saved,) = Path("home/XDG_STATE_HOME/tiletree/forks").iterdir()
    assert tiletree.ok("verify", "--fork", saved, "--vkey", dist)["verified"]
    again = tiletree("prove", "log", "dist/app.whl", "dist/app.tar.gz", "--beside", "--vkey", dist, "--json")
    assert (again.code, [each["what"] for each in again.json["unproven"]]) == (7, ["dist/app.whl"])
    Path("dist/app.whl").write_bytes(b"built again")  # so that its proof has to be another one
    assert tiletree("add", "log", "dist/app.whl", "--proofs", *KEY).code == 7
    assert Path("dist/app.whl.tlog-proof").read_bytes() == there


def test_into_a_folder(tiletree: Command, dist: str) -> None:
    """The folder is made; standard input has a name there; the same file named twice has one proof."""
    done = tiletree.ok(
        "add", "log", "-", "dist/app.whl", "./dist/app.whl", "--proofs-in", "some/proofs", *KEY, stdin=b"x"
    )
    assert (done["written"], len(done["proofs"])) == (2, 3)
    assert proofs() == ["some/proofs/app.whl.tlog-proof", "some/proofs/stdin.tlog-proof"]
    said = tiletree("add", "log", "dist/app.whl", "--proofs-in", "some/proofs", *KEY).out.splitlines()
    assert said[1] == "kept some/proofs/app.whl.tlog-proof"
    assert said[-1] == "wrote 0 proofs into some/proofs, kept 1"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (
            "dist --proofs-in made",
            2,
            "two files would have the proof made/app.whl.tlog-proof: dist/app.whl and dist/sub",
        ),
        ("dist/app.whl --proofs", 2, "dist/app.whl.tlog-proof is there, and is no proof file; nothing was done"),
        ("dist/sub --proofs", 2, "dist/sub/app.whl.tlog-proof is there, and is no regular file"),
        ("dist/app.tar.gz --proofs", 2, "is a proof of the log other.example.com, not of log.example.com"),
        ("- --proofs", 2, "standard input has no place"),
        ("--stdin-lines --proofs", 2, "--proofs is for files"),
        ("dist/app.whl --proofs-in a/b", 3, "a/b cannot be made: "),
        (f"{'n' * 250} --proofs", 2, "would have too long a name"),
    ],
)
def test_what_cannot_be_written_adds_nothing(tiletree: Command, dist: str, words: str, code: int, says: str) -> None:
    """It is found before anything is added, and by --dry-run too; what is there stays."""
    tiletree.ok("init", "other", "--origin", "other.example.com", "--key", "o")
    tiletree.ok("add", "other", "dist/app.tar.gz", "--proofs", "--key", "o")
    Path("dist/app.whl.tlog-proof").write_text("notes of mine")
    Path("dist/sub/app.whl.tlog-proof").symlink_to("nowhere")
    Path("n" * 250).write_text("x")
    before = {path: Path(path).is_symlink() or Path(path).read_bytes() for path in proofs()}
    for more in ((), ("--dry-run",)) if code == 2 else ((),):
        done = tiletree("add", "log", *words.split(), *KEY, *more, stdin=b"x")
        assert (done.code, says in done.err) == (code, True), done
    assert tiletree.ok("info", "log", "--vkey", dist)["size"] == 2
    assert {path: Path(path).is_symlink() or Path(path).read_bytes() for path in proofs()} == before
    assert not Path("made").exists()


def test_a_proof_that_cannot_be_written_at_the_end(
    tiletree: Command, dist: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was added is published; the other proofs are there, and it is said how to get the rest: exit code 3."""
    replaced = proof_files.replace_file

    def fails(path: Path, data: bytes) -> None:
        if path.name.startswith("app.whl"):
            raise AccessError(f"{path} cannot be written: No space left on device")
        replaced(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(proof_files, "replace_file", fails)
        done = tiletree("add", "log", "dist", "--proofs", *KEY, "--json")
    assert (done.code, done.json["published"], done.json["written"], done.json["size"]) == (3, True, 1, 5)
    assert [each["what"] for each in done.json["unproven"]] == ["dist/app.whl", "dist/sub/app.whl"]
    assert "2 of 3 proofs not written, all is published; dist/app.whl: " in done.json["error"]["message"]
    assert "tiletree prove LOG FILE… --beside" in done.json["error"]["hint"]
    text = tiletree("prove", "log", "dist", "--beside", "--vkey", dist)
    assert text.out.splitlines()[-1] == "wrote 3 proofs beside the files: log.example.com, size 5"


def test_a_damaged_tile(tiletree: Command, dist: str) -> None:
    """Exit code 1, although the entries are published: their proofs cannot be made."""
    assert tiletree.ok("add", "log", "dist", *KEY)["size"] == 5
    tile = Path("log/tile/0/000.p/5")
    tile.write_bytes(bytes(len(tile.read_bytes())))
    for partial in Path("log/tile/0/000.p").iterdir():
        partial.write_bytes(bytes(len(partial.read_bytes())))
    done = tiletree("add", "log", "dist", "--proofs", *KEY)
    assert done.code in (1, 4)
    assert proofs() == []


def test_below_the_quorum(tiletree: Command) -> None:
    """Where no witness cosigns, nobody would accept a proof: none is written, and it is said what writes it later."""
    vkey = tiletree.ok("key", "generate", ORIGIN, "--out", "k")["vkey"]
    witness = f"witness w {WITNESS.verifier.vkey} http://127.0.0.1:1/"
    Path("policy").write_text(f"log {vkey}\n{witness}\nquorum w\n")
    Path("a").write_text("a")
    soon = ("--witness-timeout", "0.1")
    begun = tiletree("init", "log", "--origin", ORIGIN, *KEY, "--policy", "policy", "--fail-open", *soon)
    assert begun.code == 6, begun
    done = tiletree("add", "log", "a", "--proofs", *KEY, "--fail-open", *soon, "--json")
    assert (done.code, done.json["published"], "written" in done.json) == (6, True, False)
    assert "no proof was written" in done.err
    assert "prove LOG FILE… --beside" in done.err
    again = tiletree("add", "log", "a", "--proofs", *KEY, "--fail-open", *soon, "--json")  # nothing is published now
    assert again.json["no_proofs"]
    Path("b").write_text("b")
    waits = tiletree("add", "log", "b", "--proofs", *KEY, *soon, "--json")
    assert (waits.code, waits.json["committed"]) == (5, True)
    assert "no proof was written: once the log is published" in waits.json["error"]["hint"]
    assert proofs() == []


def test_prove_beside(tiletree: Command, dist: str) -> None:
    """Folders and patterns are taken; a proof of the same log is replaced; what is not logged is said."""
    tiletree.ok("add", "log", "dist", "--proofs", *KEY)
    Path("dist/never").write_text("never logged")
    tiletree.ok("add", "log", "--stdin-lines", *KEY, stdin=b"line\n")
    done = tiletree("prove", "log", "dist", "--beside", "--vkey", dist, "--json")
    assert (done.code, done.json["written"]) == (8, 3)
    assert [each["path"] for each in done.json["proofs"]] == proofs()
    assert {size_of(path) for path in proofs()} == {6}
    assert [each["what"] for each in done.json["unproven"]] == ["dist/never"]
    one = tiletree("prove", "log", "dist/app.whl", "--beside", "--vkey", dist)
    assert one.out.splitlines() == [
        "wrote dist/app.whl.tlog-proof",
        "wrote 1 proof beside the files: log.example.com, size 6",
    ]
    into = tiletree.ok("prove", "log", "dist/*.whl", "dist/sub", "--out-dir", "made", "--vkey", dist)
    assert [each["name"] for each in into["proofs"]] == ["3.tlog-proof", "4.tlog-proof"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--index 0 --beside", "--beside is for files"),
        (f"sha256:{'0' * 64} --beside", "--beside is for files"),
        ("a --beside --out-dir made", "--beside is for files"),
        ("a --beside -o made", "-o, --through and --when go with one proof"),
        ("a --beside", "a.tlog-proof is there, and is no proof file"),
        ("nothing --beside", "there is no file nothing"),
    ],
)
def test_wrong_calls(tiletree: Command, log: str, words: str, says: str) -> None:
    """They are refused before anything is written."""
    Path("a.tlog-proof").write_text("mine")
    done = tiletree("prove", "log", *words.split(), "--vkey", log)
    assert (done.code, says in done.err) == (2, True), done
    assert Path("a.tlog-proof").read_text() == "mine"
    assert not Path("made").exists()
