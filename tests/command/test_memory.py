"""What reading leaves on this machine, what it needs there, and what is said of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.command_line import ORIGIN, Command
from tests.support.readers import make_log, renamed
from tests.support.sampling import quickly
from tests.support.signed_text import LOG
from tiles.notes.keys import signing_key
from tiles.user.trusted_keys import MAX_TRUST_SIZE

# root's Python may be where nobody else can start it: the modules are loaded first, and the rights dropped then
AS_NOBODY = """
import os, sys
import tiletree.cli, tiles.read.http_fetcher, tiles.store.directory
import tiletree.commands.info
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
sys.exit(tiletree.cli.run(sys.argv[1:]))
"""

HOME = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")


def write(objects: dict[str, bytes], directory: str) -> None:
    """Write a log into a directory."""
    for path, data in objects.items():
        file = Path(directory, path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


def kept(directory: str = "home") -> int:
    """Return how many bytes are kept in this user's directories."""
    return sum(path.stat().st_size for path in Path(directory).rglob("*") if path.is_file())


# ---- a visited log does no harm


@pytest.mark.parametrize("size", quickly([256, 65_536, 400_000], [256]))
def test_names_of_any_length_leave_nothing_behind(tiletree: Command, log: str, size: int) -> None:
    """Logs whose keys have long names are read, each time as at first use; what is remembered of others stays."""
    tiletree.ok("info", "log")
    before = kept()
    for number in range(3):
        write(renamed(make_log(3), signing_key(f"{number}" * size, bytes(32))), f"hostile{number}")
        for _ in range(2):
            done = tiletree.ok("info", f"hostile{number}")
            assert done["trust"] == "first use, not pinned"
            assert "names of at most 255 are remembered" in done["not_remembered"]
    assert kept() == before
    assert [known["vkey"] for known in tiletree.ok("key", "list")["keys"]] == [log]
    assert tiletree("key", "trust", "hostile0", signing_key("0" * size, bytes(32)).verifier.vkey).code == 2


def test_another_key_at_each_visit_leaves_nothing_behind(tiletree: Command, log: str) -> None:
    """A log that cannot be remembered cannot fill the disk by what was seen of it."""
    before = kept()
    for number in range(4):
        write(renamed(make_log(3), signing_key(f"{number}" * 1000, bytes(32))), "hostile")
        tiletree.ok("info", "hostile")
    assert kept() == before


def test_a_full_memory(tiletree: Command, log: str) -> None:
    """Where there is no room for another key, logs are read all the same, and nothing that is there is lost."""
    long = "x" * 500_000
    keys = {f"/{name}{long}": signing_key(f"{name}.example.com", bytes(32)).verifier.vkey for name in "ab"}
    lines = ["tiletree-trust/v1", *(f"first-use {vkey} {url}" for url, vkey in keys.items()), ""]
    trust = Path("home/XDG_CONFIG_HOME/tiletree/trust")
    trust.write_text("\n".join(lines))
    room = MAX_TRUST_SIZE - trust.stat().st_size
    assert 0 < room < 100_000
    trust.write_text("\n".join(lines).replace(f"/b{long}", f"/b{long}{'x' * (room - 20)}"))
    before = trust.read_bytes()
    assert "no room" in tiletree.ok("info", "log")["not_remembered"]
    assert tiletree("key", "trust", "log", log).code == 3
    assert trust.read_bytes() == before
    assert len(tiletree.ok("key", "list")["keys"]) == 2


def test_a_log_that_forks_at_every_visit(tiletree: Command) -> None:
    """Its evidence has a cap; every visit ends with exit code 7 all the same."""
    vkey = LOG.verifier.vkey
    write(make_log(5), "log")
    tiletree.ok("info", "log", "--vkey", vkey)
    sizes = set()
    for number in range(12):
        write(make_log(5, tag=f"other {number}"), "log")
        assert tiletree("info", "log", "--vkey", vkey, "--json").code == 7
        sizes.add(kept())
    assert len(sizes) == 8


# ---- reading needs no place to write


def blocked(patch: pytest.MonkeyPatch) -> None:
    """Let this user's directories be where nothing can be."""
    Path("file").write_bytes(b"")
    for variable in HOME:
        patch.setenv(variable, str(Path("file/home").absolute()))


def absent(patch: pytest.MonkeyPatch) -> None:
    """Let this user have no home directory."""

    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for variable in HOME:
        patch.delenv(variable, raising=False)
    patch.setattr(Path, "home", no_home)


@pytest.mark.parametrize("place", [blocked, absent])
def test_reading_without_memory(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch, place: object) -> None:
    """Every command that reads goes on, and says that the visit is not remembered, as text and as a field."""
    assert callable(place)
    place(monkeypatch)
    for trust in (["--vkey", log], []):
        for words in (["info", "log"], ["get", "log", 0], ["prove", "log", "a"], ["audit", "log"]):
            done = tiletree(*words, *trust, "--json")
            assert done.code == 0, (words, done)
            assert done.json["not_remembered"], words
            assert "this visit is not remembered: " in done.err
    assert tiletree.ok("verify", "a", "--proof", "p", "--vkey", log)["verified"] is True
    assert tiletree("verify", "a", "--proof", "p").code == 2
    tiletree.ok("init", "copy", "--origin", ORIGIN, "--key", "k", "--private", "copy.private", "--anchor", "anchor2")
    tiletree.ok("import", "log", "copy", "--key", "k", "--anchor", "anchor2", "--private", "copy.private")


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED except by root, who alone can become another user")
@pytest.mark.parametrize("mode", [0o700, 0o755])
def test_as_a_user_without_rights(mode: int) -> None:
    """HOME is somebody else's, and may be looked into or not: reading goes on, and nothing is written there."""
    without = {name: value for name, value in os.environ.items() if name not in HOME}
    with TemporaryDirectory() as place:  # not below pytest's own directory, which only root may look into
        home = Path(place, "home")
        home.mkdir()
        write(make_log(3), f"{place}/log")
        for path in (Path(place), *Path(place).rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        home.chmod(mode)
        for trust in (["--vkey", LOG.verifier.vkey], []):
            command = [sys.executable, "-c", AS_NOBODY, "info", f"{place}/log", "--json", *trust]
            done = subprocess.run(command, env=without | {"HOME": str(home)}, capture_output=True, text=True)
            assert done.returncode == 0, done
            assert '"not_remembered": "' in done.stdout
        assert list(home.iterdir()) == []


def test_what_is_remembered_is_compared_all_the_same(tiletree: Command) -> None:
    """A first use that cannot be remembered is still compared with what was seen of the log by its key."""
    write(make_log(5), "log")
    tiletree.ok("info", "log", "--vkey", LOG.verifier.vkey)
    Path("home/XDG_CONFIG_HOME/tiletree/.lock").mkdir(parents=True)
    assert "cannot be written" in tiletree.ok("info", "log")["not_remembered"]
    write(make_log(5, tag="other"), "log")
    assert tiletree("info", "log").code == 7


# ---- every remark has a field


def test_an_old_copy(tiletree: Command, log: str) -> None:
    """What the text says of an old copy, every JSON document says."""
    old = Path("log/checkpoint").read_bytes()
    tiletree.ok("add", "log", "--again", "a", "--key", "k")
    new = tiletree.ok("info", "log", "--vkey", log)
    assert "newer" not in new
    Path("log/checkpoint").write_bytes(old)
    for words in (["info", "log"], ["audit", "log"], ["get", "log", 0], ["prove", "log", "--index", 0]):
        done = tiletree(*words, "--vkey", log, "--json")
        assert done.code == 0, done
        assert done.json["newer"] == {"size": 3, "root": new["root"]}, words
        assert "this is an old copy: size 3 was seen before" in done.err
    failed = tiletree("get", "log", 2, "--vkey", log, "--json")
    assert failed.code == 2
    assert failed.json["newer"]["size"] == 3


def test_two_logs_of_one_key(tiletree: Command, log: str) -> None:
    """What may be another history has the exit code of one, wherever it shows, and both checkpoints are kept."""
    write(make_log(600), "one")
    write(make_log(300, tag="other"), "other")
    vkey = LOG.verifier.vkey
    tiletree.ok("info", "one", "--vkey", vkey)
    for words in (["info", "other"], ["get", "other", 0], ["audit", "other"], ["prove", "other", "--index", 0]):
        done = tiletree(*words, "--vkey", vkey, "--json")
        assert done.code == 7, done
        assert done.json["error"]["kind"] == "HistoryUnknown"
        assert "forks/" in done.json["error"]["hint"]
    (evidence,) = Path("home/XDG_STATE_HOME/tiletree/forks").iterdir()
    assert {path.name for path in evidence.iterdir()} == {"README", "older", "newer"}
    assert tiletree("verify", "--fork", evidence, "--vkey", vkey).code == 1


def test_not_in_the_log(tiletree: Command, log: str) -> None:
    """A file that is not there is another thing than a proof that does not verify."""
    Path("c").write_bytes(b"never logged\n")
    done = tiletree("prove", "log", "c", "--vkey", log, "--json")
    assert done.code == 8
    assert "not among the 2 entries" in done.json["error"]["message"]
    assert tiletree("prove", "log", "b", "--vkey", log).code == 0
    Path("d").write_bytes(b"")
    assert tiletree("prove", "log", "d", "--scan", "--vkey", log).code == 8
    assert tiletree("verify", "c", "--proof", "p", "--vkey", log).code == 1


def test_a_log_in_another_layout(tiletree: Command, log: str) -> None:
    """It is named as what it looks like: nothing is damaged, and nothing failed to verify."""
    Path("log/tile/entries").rename("log/tile/data")
    for words in (["audit", "log"], ["get", "log", 0]):
        done = tiletree(*words, "--vkey", log, "--json")
        assert done.code == 3, done
        assert "static-ct-api" in done.json["error"]["message"]
    Path("log/checkpoint").rename("log/latest")
    for trust in (["--vkey", log], []):
        done = tiletree("info", "log", *trust, "--layout", "tlog-tiles", "--json")
        assert done.code == 3
        assert "checksum database of Go" in done.json["error"]["message"]
