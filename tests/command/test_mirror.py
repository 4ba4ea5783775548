"""`tiletree mirror`, and `--mirror` of commands that read: what they print, their documents and exit codes."""

from __future__ import annotations

import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.command_line import ORIGIN, Command
from tests.support.fault_server import serving
from tests.support.object_server import ObjectServer
from tests.support.other_logs import SUMDB_ORIGIN
from tests.support.other_mirrors import KINDS
from tests.support.readers import make_log
from tests.support.signed_text import LOG
from tiles.notes.checkpoint import Checkpoint, parse_signed_checkpoint, with_signatures
from tiles.notes.note import Signature
from tiles.store.directory import DirectoryStore
from tiles.tree.layout import CHECKPOINT

SIZE = 700
FOLDER = sha256(ORIGIN.encode()).hexdigest()


def files(place: str) -> dict[str, bytes]:
    """Return the files of a directory."""
    return {str(path.relative_to(place)): path.read_bytes() for path in Path(place).rglob("*") if path.is_file()}


@pytest.fixture
def vkey(tiletree: Command) -> str:
    """Return the vkey of a log of SIZE entries."""
    return tiletree.prepared(_begin)


def _begin(tiletree: Command) -> str:
    tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k", "--no-page")
    tiletree.ok("key", "forget", "log")  # whoever began it remembers it
    Path("lines").write_text("".join(f"{number}\n" for number in range(SIZE)))
    tiletree.ok("add", "log", "--lines", "lines", "--key", "k")
    vkey: str = tiletree.ok("key", "show", "k")["vkey"]
    return vkey


@pytest.fixture
def grown(tiletree: Command, vkey: str) -> str:
    """Return the vkey of the log, which is mirrored at `mirror` and has grown since."""
    tiletree.ok("mirror", "log", "mirror", "--vkey", vkey)
    Path("more").write_text("more\n")
    tiletree.ok("add", "log", "--lines", "more", "--key", "k")
    return vkey


def test_mirror(tiletree: Command, vkey: str) -> None:
    """The tree is mirrored; the next run has nothing to do; with --all, what is beside it is there as well."""
    first = tiletree.ok("mirror", "log", "mirror", "--vkey", vkey)
    assert (first["before"], first["size"], first["published"]) == (None, SIZE, True)
    tree = {path for path in files("log") if path.startswith("tile/") or path in ("checkpoint", "policy.txt")}
    assert files("mirror").keys() == tree
    again = tiletree.ok("mirror", "log", "mirror", "--vkey", vkey)
    assert (again["before"], again["objects"], again["published"]) == (SIZE, 0, False)
    whole = tiletree.ok("mirror", "log", "mirror", "--vkey", vkey, "--all")
    assert (whole["copied"], whole["left"]) == (3, [])
    assert files("mirror") == files("log")
    assert tiletree.ok("audit", "mirror", "--vkey", vkey)["findings"] == []


def test_from_a_server(tiletree: Command) -> None:
    """A log behind a server is mirrored, but what is beside its tree cannot be listed there."""
    with serving(make_log(SIZE)) as server:
        assert tiletree.ok("mirror", server.url, "mirror")["size"] == SIZE
        refused = tiletree("mirror", server.url, "mirror", "--all")
    assert (refused.code, "found by listing it" in refused.err) == (2, True)


def test_what_is_no_place_for_a_mirror(tiletree: Command, vkey: str) -> None:
    """The log itself, a log that is written to, and a mirror of another log."""
    assert tiletree("mirror", "log", "log", "--vkey", vkey).code == 2
    tiletree.ok("mirror", "log", "mirror", "--vkey", vkey)
    tiletree.ok("init", "other", "--origin", "other.example.com", "--key", "o", "--no-page")
    written = tiletree("mirror", "log", "other", "--vkey", vkey)
    assert (written.code, "is a log that is written to" in written.err) == (4, True)
    other = tiletree("mirror", "other", "mirror")
    assert (other.code, "is of the log log.example.com" in other.err) == (4, True)


def test_another_history(tiletree: Command, vkey: str) -> None:
    """A log that contradicts its mirror is a fork: exit code 7, and evidence that `verify` checks."""
    shutil.copytree("log", "copy")
    shutil.copytree("log.private", "copy.private")
    Path("here").write_text("here\n")
    Path("there").write_text("there\n")
    tiletree.ok("add", "log", "--lines", "here", "--key", "k")
    tiletree.ok("mirror", "log", "mirror", "--vkey", vkey)
    shutil.rmtree("k.anchor")
    shutil.rmtree("home", ignore_errors=True)
    tiletree.ok("key", "adopt", "copy", "--key", "k", "--yes")
    tiletree.ok("add", "copy", "--lines", "there", "--key", "k")
    shutil.rmtree("home", ignore_errors=True)  # somebody else, who has not seen the log
    before = files("mirror")
    done = tiletree("mirror", "copy", "mirror", "--vkey", vkey)
    assert (done.code, "two histories" in done.err) == (7, True)
    assert files("mirror") == before
    (evidence,) = (path.parent for path in Path("home").rglob("older"))
    tiletree.ok("verify", "--fork", evidence, "--vkey", vkey)
    shutil.rmtree("home")
    seen = tiletree("info", "mirror", "--vkey", vkey, "--mirror", "copy")
    assert (seen.code, "copy/checkpoint" in seen.err) == (7, True)


def test_a_log_that_is_behind(tiletree: Command, vkey: str) -> None:
    """An old copy of the log changes nothing, and is said."""
    shutil.copytree("log", "old")
    Path("more").write_text("more\n")
    tiletree.ok("add", "log", "--lines", "more", "--key", "k")
    tiletree.ok("mirror", "log", "mirror", "--vkey", vkey)
    shutil.rmtree("home", ignore_errors=True)  # whoever has seen the log is told more
    done = tiletree.ok("mirror", "old", "mirror", "--vkey", vkey)
    assert (done["behind"], done["size"], done["published"]) == (SIZE, SIZE + 1, False)


def test_cosign(tiletree: Command, vkey: str) -> None:
    """A mirror that cosigns is begun once; its cosignature meets a policy that asks for it, where the hash says."""
    cosigner = tiletree.ok("key", "generate", "mirror.example.com", "--cosigner", "--out", "m")["vkey"]
    words = ("mirror", "log", "mirrors", "--vkey", vkey, "--cosign", "m")
    early = tiletree(*words)
    assert (early.code, "--begin begins it" in early.err) == (4, True)
    done = tiletree.ok(*words, "--begin")
    assert (done["cosigner"], done["size"], done["place"]) == (cosigner, SIZE, f"mirrors/{FOLDER}")
    assert done["cosigned"] > 0
    assert tiletree.ok(*words)["cosigned"] >= done["cosigned"]
    Path("policy").write_text(f"log {vkey}\nwitness m {cosigner}\nquorum m\n")
    assert tiletree.ok("info", f"mirrors/{FOLDER}", "--policy", "policy")["cosigned_by"] == [
        "+".join(cosigner.split("+", 2)[:2])
    ]
    Path(f"mirrors/{FOLDER}/checkpoint").unlink()
    assert tiletree(*words).code == 4


def test_cosign_needs_the_key(tiletree: Command, vkey: str) -> None:
    """A mirror that cosigns takes no key that the log shows; one that does not cosign has no --begin."""
    tiletree.ok("key", "generate", "mirror.example.com", "--cosigner", "--out", "m")
    first = tiletree("mirror", "log", "mirrors", "--cosign", "m", "--begin")
    assert (first.code, "has to be told the log's key" in first.err) == (2, True)
    assert not Path("mirrors").exists()
    assert tiletree("mirror", "log", "mirror", "--vkey", vkey, "--begin").code == 2
    notes = tiletree("mirror", "log", "mirrors", "--vkey", vkey, "--cosign", "k", "--begin")
    assert (notes.code, "signs notes, and a mirror cosigns" in notes.err) == (2, True)
    assert tiletree("key", "generate", "--cosigner", "--signing", "--out", "x").code == 2


# ---- several addresses


def test_several_addresses(tiletree: Command, grown: str) -> None:
    """What one address lacks is read at the next, and said; the tree is that of the first one."""
    shutil.rmtree("log/tile/entries")
    done = tiletree("get", "log", 7, "--vkey", grown, "--mirror", "mirror", "--json")
    assert done.code == 0
    assert done.json["entry"] == "Nw=="
    assert done.json["elsewhere"] == [
        {"url": "log", "size": SIZE + 1, "problem": ""},
        {"url": "mirror", "size": SIZE, "problem": ""},
    ]
    first, second = done.json["addresses"]
    assert (first["url"], first["trouble"]) == ("log", "log/tile/entries/000: not found")
    assert (second["url"], second["objects"]) == ("mirror", 1)
    assert "objects read at mirror: 1, such as tile/entries/000" in done.err


def test_a_larger_tree_elsewhere(tiletree: Command, grown: str) -> None:
    """The first address decides; that another one shows more is said."""
    done = tiletree("info", "mirror", "--vkey", grown, "--mirror", "log")
    assert (done.code, f"size    {SIZE}\n" in done.out) == (0, True)
    assert f"log shows a larger tree, which extends this one: size {SIZE + 1}" in done.err


def test_an_address_that_is_not_there(tiletree: Command, grown: str) -> None:
    """A first address without a log is no reason to give up; without any, it is as with one."""
    done = tiletree.ok("info", "nothing", "--vkey", grown, "--mirror", "http://127.0.0.1:9/log", "--mirror", "mirror")
    assert done["size"] == SIZE
    assert [each["size"] for each in done["elsewhere"]] == [None, None, SIZE]
    assert tiletree("info", "nothing", "--vkey", grown, "--mirror", "neither").code == 3
    too_many = [word for number in range(16) for word in ("--mirror", str(number))]
    assert tiletree("info", "log", "--vkey", grown, *too_many).code == 2


def test_prove(tiletree: Command, grown: str) -> None:
    """A proof takes what it needs from wherever it is; an error says what was tried, too."""
    Path("log/tile/0/000").write_bytes(b"damaged")
    shutil.rmtree("log/tile/1")
    tiletree.ok("prove", "log", "--index", 3, "-o", "p", "--vkey", grown, "--mirror", "mirror")
    failed = tiletree("prove", "log", "--index", 3, "--vkey", grown, "--mirror", "nothing", "--json")
    assert failed.code in (1, 3)
    assert failed.json["addresses"]


def test_an_origin_that_is_not_the_name_of_the_key(tiletree: Command, tmp_path: Path) -> None:
    """It is mirrored, and not cosigned: mirrors that cosign have a log under the hash of its origin."""
    objects = make_log(7)
    text = Checkpoint("an origin", parse_signed_checkpoint(objects[CHECKPOINT]).tree)
    line = Signature(LOG.verifier.name, LOG.verifier.key_id, LOG.sign(text.text))
    for path, data in {**objects, CHECKPOINT: with_signatures(text, [line]).data}.items():
        target = tmp_path / "theirs" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    tiletree.ok("key", "generate", "mirror.example.com", "--cosigner", "--out", "mk")
    pins = ("--vkey", LOG.verifier.vkey, "--origin", "an origin")
    refused = tiletree("mirror", str(tmp_path / "theirs"), "cosigned", *pins, "--cosign", "mk", "--begin")
    assert (refused.code, "is not the name of the key" in refused.err) == (4, True), refused
    assert not Path("cosigned").exists()
    assert tiletree.ok("mirror", str(tmp_path / "theirs"), "copy", *pins)["size"] == 7


# ---- buckets, and logs of other formats


def test_in_a_bucket(tiletree: Command, vkey: str, s3: ObjectServer) -> None:
    """A bucket is tried out first; it gets what a directory gets, also beside the tree, and is read like any log."""
    place = "s3://public/mirror"
    first = tiletree.ok("mirror", "log", place, "--vkey", vkey, "--all")
    assert (first["place"], first["published"], first["left"]) == (place, True, [])
    theirs = {key.removeprefix("mirror/"): data for key, data in s3.objects["public"].items()}
    assert theirs == files("log")
    again = tiletree.ok("mirror", "log", place, "--vkey", vkey, "--all")
    assert (again["objects"], again["copied"], again["published"]) == (0, 0, False)
    assert tiletree.ok("audit", place, "--vkey", vkey)["findings"] == []
    s3.put("public", "mirror/checkpoint", b"something else")
    assert tiletree("mirror", "log", place, "--vkey", vkey).code in (1, 3)
    assert s3.get("public", "mirror/checkpoint") == b"something else"


@pytest.mark.parametrize("name", KINDS)
def test_other_formats(tiletree: Command, tmp_path: Path, name: str) -> None:
    """A log is mirrored in the format that it has, found by itself or named; `--all` and `--cosign` are not for it."""
    kind = KINDS[name]
    DirectoryStore(tmp_path / "theirs").create(kind.make(300))
    key = next(iter(kind.policy.keys_of(parse_signed_checkpoint(kind.make(300)[kind.log_format.checkpoint]).origin)))
    pins = ("--vkey", key.vkey, *(("--origin", SUMDB_ORIGIN) if name == "sumdb" else ()))
    done = tiletree.ok("mirror", "theirs", "mirror", *pins)
    assert (done["layout"], done["size"], done["issuers"]) == (name, 300, int(name == "static-ct"))
    assert {path: data for path, data in files("mirror").items() if not path.startswith(".")} == kind.tree_of(300)
    assert not tiletree.ok("mirror", "theirs", "mirror", *pins, "--layout", name)["published"]
    assert tiletree.ok("audit", "mirror", *pins)["findings"] == []
    assert tiletree.ok("get", "nothing", "299", *pins, "--mirror", "mirror", "--layout", name)["index"] == 299
    tiletree.ok("key", "generate", "mirror.example.com", "--cosigner", "--out", "mk")
    for more, message in ((["--all"], "--all is for logs kept as"), (["--cosign", "mk", "--begin"], "that cosign")):
        refused = tiletree("mirror", "theirs", "another", *pins, *more)
        assert (refused.code, message in refused.err) == (2, True), refused
    assert not Path("another").exists()
