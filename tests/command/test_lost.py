"""docs/lost.md, row by row: a loss, the message that names its section, the command there, and what comes of it."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.support.command_line import ORIGIN, Command, Done
from tests.support.sampling import quickly
from tests.support.witnesses import Witness, away, serving, witness_key, witness_policy
from tiles.entries.file_digest import file_entry
from tiles.errors import LOST
from tiles.notes.keys import parse_vkey, signing_key
from tiles.records.head import parse_head
from tiles.records.paths import staged_path
from tiles.records.staged_batch import Batch, digest
from tiles.signing.anchor import FROZEN, parse_anchor
from tiles.tree.bundle import encode_entries

PAGE = (Path(__file__).parents[2] / LOST).read_text()
SECTIONS = re.findall(r"^## (.*)$", PAGE, flags=re.MULTILINE)
ADD = ("add", "log", "--again", "b", "--key", "k")
AS_WRITTEN = {
    "LOG": "log",
    "K": "k",
    "NEW": "new",
    "NEW-ORIGIN": "new.example.com",
    "NEW-K": "new.k",
    "ORIGIN": ORIGIN,
    "LOG/checkpoint": "log/checkpoint",
    "LOG/checkpoints": "log/checkpoints",
    "LOG/checkpoints/002": "log/checkpoints/002",
}


def link(section: str) -> str:
    """Return how a message names a section."""
    return f"{LOST}#{section.lower().replace(' ', '-')}"


def commands(section: str) -> list[list[str]]:
    """Return the commands of a section, in order."""
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return [shlex.split(line) for line in re.findall(r"^    (.*)$", text, flags=re.MULTILINE)]


def run_all(tiletree: Command, section: str, **words: str) -> list[Done]:
    """Run the commands of a section as they are written, for the log of the tests; each has to succeed."""
    done = []
    for program, *written in commands(section):
        arguments = [{**AS_WRITTEN, **words}.get(word, word) for word in written]
        if program == "rm":
            remove(*(path for path in arguments if path != "-r"))()
        elif program == "cp":
            shutil.copy(*arguments)
        elif "https://mirror.example.com/log" not in arguments:
            done.append(tiletree(*arguments))
            assert done[-1].code == 0, done[-1]
    return done


def remove(*paths: str) -> Callable[[], None]:
    """Return what removes files and folders."""

    def remove_all() -> None:
        for path in paths:
            shutil.rmtree(path) if Path(path).is_dir() else Path(path).unlink()

    return remove_all


def back(*paths: str) -> Callable[[], None]:
    """Return what puts folders back to their copies."""

    def put_back() -> None:
        for path in paths:
            shutil.rmtree(path)
            shutil.copytree(f"old/{path}", path)

    return put_back


def lose_batch() -> None:
    """The head commits to a batch that is nowhere."""
    path = Path("log.private/head")
    head = parse_head(path.read_bytes())
    tree = replace(head.tree, size=3, root=head.tree.root)
    path.write_bytes(head.extended(tree, "ab" * 32, "c" * 32).data)


def entry_of(path: Path) -> bytes:
    """Return the entry of a file, as bundles have it."""
    with path.open("rb") as file:
        return encode_entries([file_entry(file)])


@dataclass(frozen=True)
class Loss:
    """A loss, what meets it, the code it exits with, and whether the log itself goes on.

    again   whether the commands of its section are run as they are written
    """

    section: str
    lose: Callable[[], None]
    code: int
    meets: tuple[str, ...] = ADD
    goes_on: bool = True


LOSSES = {
    "head": Loss("The head is gone", remove("log.private/head"), 3),
    "head, sequence": Loss("The head is gone", remove("log.private/head"), 3, ("sequence", "log", "--key", "k")),
    "head, status": Loss("The head is gone", remove("log.private/head"), 3, ("status", "log", "--key", "k")),
    "head, adopt": Loss("The head is gone", remove("log.private/head"), 3, ("key", "adopt", "log", "--key", "k")),
    "head, gc": Loss("The head is gone", remove("log.private/head"), 3, ("gc", "log")),
    "head, repair": Loss("The head is gone", remove("log.private/head"), 3, ("repair", "log")),
    "private part": Loss("The head is gone", remove("log.private"), 3),
    "anchor": Loss("The anchor is gone", remove("k.anchor"), 4),
    "anchor, status": Loss("The anchor is gone", remove("k.anchor"), 4, ("status", "log", "--key", "k")),
    "old anchor": Loss("The anchor is gone", back("k.anchor"), 4),
    "both": Loss(
        "Head and anchor are gone",
        remove("log.private/head", "k.anchor"),
        4,
        ("repair", "log", "--head", "--key", "k"),
        goes_on=False,
    ),
    "key": Loss("The key is gone", remove("k"), 2, goes_on=False),
    "key, sequence": Loss("The key is gone", remove("k"), 2, ("sequence", "log", "--key", "k"), goes_on=False),
    "checkpoint": Loss("The checkpoint is gone", remove("log/checkpoint"), 4),
    "checkpoint, read": Loss("The checkpoint is gone", remove("log/checkpoint"), 3, ("info", "log")),
    "checkpoint, rebuild": Loss(
        "The checkpoint is gone", remove("log/checkpoint"), 4, ("repair", "log", "--head", "--key", "k")
    ),
    "tile": Loss("A tile is gone", remove("log/tile/0/000.p/2"), 4),
    "tile, read": Loss("A tile is gone", remove("log/tile/0/000.p/2"), 3, ("prove", "log", "--index", "0")),
    "batch": Loss("A committed batch is gone", lose_batch, 4),
    "batch, status": Loss("A committed batch is gone", lose_batch, 4, ("status", "log", "--key", "k")),
    "old private part": Loss("Something was put back", back("log.private"), 4),
    "policy": Loss("A policy is gone", remove("log.private/policies"), 4),
}
BY_HAND = {  # those that need a story of their own below
    "The log was empty",
    "The blinding secret is gone",
    "A tile is in the way",
    "The log was moved",
    "More was signed than is published",
    "Another key is remembered",
    "A key is missing",
    "Two histories were seen",
    "What is remembered is damaged",
    "A witness has lost what it cosigned last",
    "A witness has cosigned more",
}


@pytest.fixture
def aged(tiletree: Command) -> Command:
    """Return the command, with a log of two batches, and copies of all its parts after the first."""
    tiletree.prepared(_aged)
    return tiletree


def _aged(tiletree: Command) -> None:
    tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k")
    tiletree.ok("key", "forget", "log")  # whoever began it remembers it
    for name in ("a", "b"):
        Path(name).write_bytes(f"content of {name}\n".encode())
        tiletree.ok("add", "log", "--again", name, "--key", "k")
        if name == "a":
            for part in ("log", "log.private", "k.anchor"):
                shutil.copytree(part, f"old/{part}")


def test_every_section_is_walked() -> None:
    """Each section of the page has a row here, and each link in a message leads to one."""
    assert {loss.section for loss in LOSSES.values()} | BY_HAND == set(SECTIONS)
    for part in ("tiles", "cmd"):
        for path in (Path(__file__).parents[2] / part).rglob("*.py"):
            for name in re.findall(r'explained\(\s*"([\w-]+)"', path.read_text()):
                assert link(name.replace("-", " ")) in map(link, SECTIONS), path


@pytest.mark.parametrize("name", LOSSES)
def test_walked(aged: Command, name: str) -> None:
    """The message names the section; after its commands the log goes on, or a new one has its entries."""
    loss = LOSSES[name]
    loss.lose()
    met = aged(*loss.meets)
    assert met.code == loss.code, met
    assert link(loss.section) in met.err
    if loss.section == "The anchor is gone":
        ((_, *arguments),) = commands(loss.section)
        assert aged(*[AS_WRITTEN.get(word, word) for word in arguments], stdin=b"y\n").code == 0
    else:
        run_all(aged, loss.section)
    if loss.goes_on:
        assert aged.ok(*ADD)["size"] == 3
        assert aged.ok("audit", "log")["findings"] == []
    else:
        assert aged.ok("add", "new", "--again", "b", "--key", "new.k")["size"] == 3
        assert aged(*ADD).code == (2 if "key" in name else 3)
        assert aged.ok("info", "log")["size"] == 2


def test_what_a_rebuilt_head_cannot_know(aged: Command) -> None:
    """It is said in words and in the document; a second call finds the head sound."""
    Path("log.private/head").unlink()
    done = aged.ok("repair", "log", "--head", "--key", "k")
    assert done["head"]["rebuilt"]
    assert any("exit code 5" in text for text in done["head"]["unknown"])
    assert aged.ok("repair", "log", "--head", "--key", "k")["head"] == {"size": 2, "rebuilt": False}


def test_what_was_committed_last_is_published(aged: Command) -> None:
    """A run died before it published: its staged batch leads to what was signed, and the command finishes it."""
    batch = Batch(1, 1, entry_of(Path("b")))
    Path("log.private/staging").mkdir(exist_ok=True)
    Path(f"log.private/{staged_path(2, digest(batch.data))}").write_bytes(batch.data)
    shutil.copy("old/log/checkpoint", "log/checkpoint")
    Path("log.private/head").unlink()
    assert aged.ok("info", "log")["size"] == 1
    aged.ok("repair", "log", "--head", "--key", "k")
    assert aged.ok("info", "log")["size"] == 2
    assert list(Path("log.private/staging").iterdir()) == []


def test_a_frozen_log_stays_frozen(aged: Command) -> None:
    """The whole private part of a frozen log is lost: the anchor knows that it was frozen."""
    aged.ok("freeze", "log", "--yes", "--key", "k")
    shutil.rmtree("log.private")
    aged.ok("repair", "log", "--head", "--key", "k")
    assert parse_anchor(Path("k.anchor/anchor").read_bytes()).state == FROZEN
    done = aged(*ADD)
    assert done.code == 4
    assert "is frozen at size 2" in done.err


@pytest.mark.parametrize(
    "options",
    [("--gzip",), ("--lock-days", "3"), ("--head", "--dry-run"), ("--head", "--gzip"), ("--head", "--lock-days", "1")],
)
def test_options_that_do_not_go_together(aged: Command, options: tuple[str, ...]) -> None:
    """Each is a wrong call, and nothing is written."""
    before = Path("log.private/head").read_bytes()
    assert aged("repair", "log", *options, "--key", "k").code == 2
    assert Path("log.private/head").read_bytes() == before


def test_an_empty_log(tiletree: Command) -> None:
    """Its anchor has signed nothing; it is begun again."""
    tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k")
    Path("log.private/head").unlink()
    done = tiletree("repair", "log", "--head", "--key", "k")
    assert done.code == 4
    assert link("The log was empty") in done.err
    run_all(tiletree, "The log was empty")
    Path("b").write_bytes(b"b")
    assert tiletree.ok(*ADD)["size"] == 1


def test_a_blinding_secret(aged: Command) -> None:
    """Without it a file is not found, and its proof stays good; a damaged one is named; the copy finds the file."""
    secret = Path("k.blinding")
    assert aged(*ADD, "--blind").code == 0
    Path("copy").mkdir()
    shutil.copy(secret, "copy/k.blinding")
    Path("file").write_bytes(b"what nobody is to know")
    aged.ok("add", "log", "--again", "file", "--blind", "--key", "k")
    aged.ok("prove", "log", "file", "-o", "q")
    secret.write_bytes(secret.read_bytes()[:-1])
    done = aged("prove", "log", "file")
    assert done.code == 2
    assert link("The blinding secret is gone") in done.err
    secret.unlink()
    assert aged("prove", "log", "file").code == 8
    vkey = aged("key", "show", "k").out.strip()
    assert aged.ok("verify", "file", "--proof", "q", "--vkey", vkey)["matched"] == "blinded"
    run_all(aged, "The blinding secret is gone", **{"COPY/K.blinding": "copy/k.blinding", "K.blinding": "k.blinding"})
    assert aged.ok("prove", "log", "file", "-o", "q")["index"] == 3


def test_more_was_signed_than_is_there(aged: Command) -> None:
    """Both parts are put back, and the anchor is not: refused until what was signed is there again."""
    for part in ("log", "log.private"):
        shutil.copytree(part, f"new/{part}")
    back("log", "log.private")()
    assert aged(*ADD).code == 4
    done = aged("repair", "log", "--head", "--key", "k")
    assert done.code == 4
    assert link("More was signed than is published") in done.err
    shutil.copytree("new/log/tile", "log/tile", dirs_exist_ok=True)
    run_all(aged, "More was signed than is published")
    assert aged.ok(*ADD)["size"] == 3
    assert aged.ok("audit", "log")["findings"] == []


IN_THE_WAY = ["entries/000.p/3", "0/000.p/3", "entries/000", "0/001.p/9"]


@pytest.mark.parametrize("path", quickly(IN_THE_WAY, ["entries/000.p/3", "0/001.p/9"]))
def test_a_tile_in_the_way(aged: Command, path: str) -> None:
    """Each run that meets it names the section; the batch that it stopped is published by the command there, once."""
    junk = Path("log/tile", path)
    junk.parent.mkdir(exist_ok=True)
    junk.write_bytes(b"junk")
    stops = path.endswith("/3")
    met = aged(*ADD)
    assert met.code == (5 if stops else 0), met
    for call in (("sequence", "log", "--key", "k"), ("repair", "log")):
        met = aged(*call)
        assert met.code == ((4 if call[0] == "sequence" else 1) if stops or call[0] == "repair" else 0), met
        assert stops <= (link("A tile is in the way") in met.err or "repair LOG --head" in met.out)
    assert junk.read_bytes() == b"junk"
    run_all(aged, "A tile is in the way")
    assert aged.ok("repair", "log", "--head", "--key", "k")["head"] == {"size": 3, "rebuilt": False}
    assert aged.ok(*ADD)["size"] == 4
    assert aged.ok("audit", "log")["findings"] == []
    (kept,) = [path for path in Path("log.private/set-aside").rglob("*") if path.is_file()]
    assert kept.read_bytes() == b"junk"


def test_a_log_that_was_moved(aged: Command) -> None:
    """Its old place says where it is; if the new one is lost before anything was added, the old one is taken up."""
    aged.ok("move", "log", "there", "--key", "k")
    for call in (ADD, ("status", "log", "--key", "k")):
        met = aged(*call)
        assert met.code == 4
        assert link("The log was moved") in met.err
        assert str(Path("there").resolve()) in met.out + met.err
    ((_, *arguments),) = commands("The log was moved")
    assert aged(*[AS_WRITTEN.get(word, word) for word in arguments], stdin=b"y\n").code == 0
    assert aged.ok(*ADD)["size"] == 3
    assert aged("add", "there", "--again", "b", "--key", "k").code == 4


def test_another_key(aged: Command) -> None:
    """The log is remembered by another key: it is refused, until somebody says which one is right."""
    other = signing_key(ORIGIN, bytes(32)).verifier.vkey
    aged.ok("key", "trust", "log", other)
    vkey = aged("key", "show", "k").out.strip()
    done = aged("key", "trust", "log", vkey)
    assert done.code == 4
    assert link("Another key is remembered") in done.err
    run_all(aged, "Another key is remembered", VKEY=vkey)
    assert aged("info", "log").code == 0


def test_a_key_that_is_missing(aged: Command) -> None:
    """An older copy of the key file signs nothing; the commands say what is missing, and the whole file goes on."""
    shutil.copy("k", "before")
    added = aged.ok("key", "add", "log", "--key", "k")
    shutil.copy("k", "after")
    shutil.copy("before", "k")
    done = aged(*ADD)
    assert done.code == 4
    assert link("A key is missing") in done.err
    assert added["vkey"] in done.err
    run_all(aged, "A key is missing")
    shutil.copy("after", "k")
    assert aged.ok(*ADD)["size"] == 3
    assert aged.ok("audit", "log")["findings"] == []


def test_a_fork_of_ones_own(aged: Command) -> None:
    """The evidence blocks the log until what was seen is forgotten; it can be checked before, and stays."""
    for part in ("log", "log.private", "k.anchor"):
        shutil.copytree(f"old/{part}", f"copy/{part}")
    shutil.copy("k", "copy/k")
    Path("c").write_bytes(b"another history")
    aged.ok("add", "copy/log", "--again", "c", "--key", "copy/k")
    vkey = aged("key", "show", "k").out.strip()
    aged.ok("key", "trust", "copy/log", vkey)
    assert aged.ok("info", "copy/log")["size"] == 2
    for _ in range(2):
        done = aged("info", "log", "--vkey", vkey)
        assert done.code == 7
        assert link("Two histories were seen") in done.err
    (evidence,) = Path("home/XDG_STATE_HOME/tiletree/forks").iterdir()
    look, forget = commands("Two histories were seen")
    shown = aged(*[{"EVIDENCE": str(evidence), "VKEY": vkey}.get(word, word) for word in look[1:]])
    assert shown.code == 0
    assert "has signed two histories" in shown.out
    refused = aged("key", "forget", "log", "--seen")
    assert refused.code == 2
    assert "--vkey" in refused.err
    aged.ok("key", "trust", "log", vkey)
    assert aged(*[AS_WRITTEN.get(word, word) for word in forget[1:]]).code == 0
    assert aged.ok("info", "log")["size"] == 2
    assert evidence.is_dir()
    assert aged("key", "forget", "log", "--vkey", vkey).code == 2


@pytest.mark.parametrize(
    ("file", "code"), [("XDG_CONFIG_HOME/tiletree/trust", 2), ("XDG_STATE_HOME/tiletree/visits", 3)]
)
def test_damaged_memories(aged: Command, file: str, code: int) -> None:
    """A file of the user's own that is damaged is named; it is moved away, and what it knew is named again."""
    vkey = aged("key", "show", "k").out.strip()
    aged.ok("key", "trust", "log", vkey)
    aged.ok("info", "log")
    path = Path("home") / file
    path = next(path.iterdir()) if path.is_dir() else path
    path.write_bytes(b"something else\n")
    done = aged("info", "log")
    assert done.code == code, done
    assert link("What is remembered is damaged") in done.err
    assert path.name in done.err
    path.unlink()
    run_all(aged, "What is remembered is damaged", VKEY=vkey)
    assert aged.ok("info", "log")["size"] == 2


def test_where_the_anchor_was_last_used(aged: Command) -> None:
    """It is said where one looks elsewhere, and moves with the anchor, by `key adopt` or by a plain move."""
    at_first = Path("k.anchor").absolute()
    for arguments in (ADD, ("status", "log", "--key", "k"), ("repair", "log", "--head", "--key", "k")):
        done = aged(*arguments, "--anchor", "else")
        assert done.code == 4
        assert f"the log used it last at {at_first}" in done.err + done.out
    aged.ok("key", "adopt", "log", "--key", "k", "--anchor", "new")
    assert f"used it last at {Path('new').absolute()}" in aged(*ADD, "--anchor", "k.anchor").err
    Path("new").rename("newer")
    aged.ok(*ADD, "--anchor", "newer")
    assert f"used it last at {Path('newer').absolute()}" in aged(*ADD, "--anchor", "new").err


def test_an_anchor_that_is_not_the_logs_is_not_noted(aged: Command) -> None:
    """Whoever is refused leaves the hint as it is."""
    aged.ok("init", "other", "--origin", ORIGIN, "--key", "k", "--anchor", "others")
    before = Path("log.private/settings").read_bytes()
    assert aged(*ADD, "--anchor", "others").code == 4
    assert Path("log.private/settings").read_bytes() == before


def test_a_witness_has_lost_what_it_cosigned(aged: Command) -> None:
    """Without its object nothing is cosigned, and the message names the section; the newest copy makes it go on."""
    vkey = aged.ok("key", "show", "log")["vkey"]
    aged.ok("witness", "init", "w.conf", "--name", "w.example.com", "--state", "seen")
    aged.ok("witness", "begin", "w.conf", "log", "--vkey", vkey)
    aged.ok("witness", "run", "w.conf")
    (cosigned,) = (path for path in Path("seen").rglob("checkpoint") if path.is_file())
    cosigned.rename("copy")
    lost = aged("witness", "run", "w.conf")
    assert (lost.code, link("A witness has lost what it cosigned last") in lost.err) == (4, True), lost
    shutil.copy("copy", cosigned)
    aged.ok("witness", "run", "w.conf")


def test_a_witness_has_cosigned_more(tiletree: Command) -> None:
    """Both parts and the anchor are put back, and the head is lost: what a witness says stops the command, or leads it.

    It shows the tree: refused, until its tiles are there, and then that tree is published. It only says so: refused,
    until a policy leaves it out. A lost policy is not taken for one without witnesses.
    """
    vkey = parse_vkey(tiletree.ok("key", "generate", ORIGIN, "--out", "k")["vkey"])
    witnesses = [Witness(witness_key(n), [vkey]) for n in range(2)]
    with serving(witnesses) as served:
        urls = {served.url(n): each for n, each in enumerate(witnesses)}
        Path("policy").write_bytes(witness_policy(vkey, urls, 1).data)
        Path("without").write_bytes(witness_policy(vkey, {served.url(1): witnesses[1]}, 1).data)
        for name in ("a", "b"):
            Path(name).write_bytes(name.encode())
        tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k", "--policy", "policy")
        tiletree.ok("add", "log", "a", "--key", "k", "--wait-extra", "5")
        for part in ("log", "log.private", "k.anchor"):
            shutil.copytree(part, f"old/{part}")
        witnesses[1].lie = away
        tiletree.ok("add", "log", "b", "--key", "k")
        witnesses[1].lie = None
        shutil.copytree("log", "newest")
        back("log", "log.private", "k.anchor")()
        Path("log.private/head").unlink()
        repair = ("repair", "log", "--head", "--key", "k")
        done = tiletree(*repair)
        assert (done.code, link("More was signed than is published") in done.err) == (4, True), done
        witnesses[0].hides = True
        done = tiletree(*repair)
        assert (done.code, link("A witness has cosigned more") in done.err) == (4, True), done
        run_all(tiletree, "A witness has cosigned more", POLICY="without")

        shutil.rmtree("log.private")
        Path("log/pending").unlink()
        done = tiletree(*repair)
        assert (done.code, link("A policy is gone") in done.err) == (4, True), done
        witnesses[0].hides = False
        shutil.copytree("newest/tile", "log/tile", dirs_exist_ok=True)
        assert tiletree.ok(*repair, "--policy", "policy")["head"]["size"] == 2
        assert tiletree.ok("add", "log", "--again", "a", "--key", "k")["size"] == 3
        assert tiletree.ok("audit", "log", "--policy", "policy")["findings"] == []
