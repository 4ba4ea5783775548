"""Every command on logs in buckets: what it prints with --json, and the exit code of what is wrong."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.support.bucket_logs import LOG, PRIVATE, begin, contents, files, owner_only, use_environment
from tests.support.command_line import INIT_FIELDS, ORIGIN, Command
from tests.support.object_server import ObjectServer
from tests.support.object_server_rules import Fault
from tests.support.sampling import quickly
from tiles.errors import AccessError
from tiles.inbox.submission import Name, format_submission
from tiletree.commands import sequence as sequence_module

OTHER, OTHER_PRIVATE = "s3://public/other", "s3://private/other"


@pytest.fixture
def vkey(tiletree: Command, s3: ObjectServer) -> str:
    """Return the vkey of a log in two buckets that holds the files `a` and `b`, and of which `p` proves the first."""
    made = begin(tiletree)
    tiletree.ok("add", LOG, "--again", *files("a", "b"))
    tiletree.ok("prove", LOG, "--index", 0, "-o", "p", "--vkey", made)
    return made


def fails(tiletree: Command, code: int, kind: str, *arguments: object) -> str:
    """Run a command that fails with that exit code and kind of error; return what it says."""
    done = tiletree(*arguments, "--json")
    assert done.code == code, done
    error = done.json["error"]
    assert error["kind"] == kind, done
    assert f"tiletree: {error['message']}\n" in done.err
    message: str = error["message"]
    return message


def test_proofs_and_a_dry_run(tiletree: Command, s3: ObjectServer) -> None:
    """Proofs of what is added are made of the bucket's tiles; to look what would be added writes nothing there."""
    vkey = begin(tiletree)
    names = files("a", "b")
    assert tiletree.ok("add", LOG, *names, "--proofs")["written"] == 2
    assert tiletree.ok("verify", *names, "--vkey", vkey)["verified"]
    before = contents(s3)
    again = tiletree.ok("add", LOG, *names, *files("c"), "--dry-run")
    assert (again["count"], again["already"], again["size"]) == (3, 2, 2)
    assert contents(s3) == before


def test_init(tiletree: Command, s3: ObjectServer) -> None:
    """A key, an empty checkpoint; where the private part is has to be said once."""
    message = fails(tiletree, 2, "UsageError", "init", LOG, "--origin", ORIGIN)
    assert message == "the private part of s3://public/log is not known"
    assert contents(s3) == {}
    done = tiletree("init", LOG, "--private", PRIVATE, "--origin", ORIGIN, "--json")
    assert list(done.json) == INIT_FIELDS
    again = tiletree("init", LOG, "--origin", ORIGIN)
    lines = dict(line.split(maxsplit=1) for line in again.out.splitlines())
    assert (lines["public"], lines["private"], lines["vkey"]) == (LOG, PRIVATE, done.json["vkey"])
    before = contents(s3)
    fails(tiletree, 4, "Refused", "init", OTHER, "--private", PRIVATE, "--origin", ORIGIN, "--key", "p")
    assert not Path("p").exists()
    fails(tiletree, 4, "Refused", "init", LOG, "--private", OTHER_PRIVATE, "--origin", "x.example.com")
    assert contents(s3) == before


def test_add(tiletree: Command, vkey: str, s3: ObjectServer) -> None:
    """What is added is published; what cannot be is said, and nothing is changed."""
    document = tiletree.ok("add", LOG, "--again", *files("c"))
    assert list(document) == ["ranges", "entries", "origin", "size", "root", "published"]
    assert (document["ranges"], document["size"]) == ([{"first_index": 2, "count": 1}], 3)
    assert document["root"] == tiletree.ok("info", LOG, "--vkey", vkey)["root"]
    before = contents(s3)
    fails(tiletree, 2, "UsageError", "add", LOG, "--again", "not-there")
    fails(tiletree, 2, "UsageError", "add", LOG)
    fails(tiletree, 2, "UsageError", "add", LOG, "--again", "a", "--key", "not-there")
    fails(tiletree, 2, "UsageError", "add", OTHER, "--again", "a")
    fails(tiletree, 3, "NotFound", "add", OTHER, "--again", "a", "--private", OTHER_PRIVATE)
    fails(tiletree, 2, "UsageError", "add", "https://log.example.com", "--again", "a")
    assert contents(s3) == before
    s3.put("private", "log/settings", b"damaged")
    assert "s3://private/log/settings: malformed" in fails(tiletree, 4, "Refused", "add", LOG, "--again", "a")


def test_unfinished(tiletree: Command, vkey: str, s3: ObjectServer) -> None:
    """A run that cannot publish ends with exit code 5, and the next one finishes it."""
    s3.fault = lambda _number, kind, where: Fault.BUSY if kind == "PUT" and "public/log/tile" in where else None
    done = tiletree("add", LOG, "--again", "a", "--json")
    s3.fault = None
    assert done.code == 5, done
    assert (done.json["committed"], done.json["published"]) == (True, False)
    assert done.json["ranges"] == [{"first_index": 2, "count": 1}]
    assert tiletree.ok("sequence", LOG)["size"] == 3


def test_status_and_info(tiletree: Command, vkey: str, s3: ObjectServer) -> None:
    """What is published, and what the next run will find."""
    info = tiletree.ok("info", LOG, "--vkey", vkey)
    assert (info["origin"], info["size"]) == (ORIGIN, 2)
    status = tiletree.ok("status", LOG)
    assert status["anchor"]["size"] == 2
    wrong = vkey.replace("log.example.com", "other.example.com")
    assert tiletree("info", LOG, "--vkey", wrong).code in (1, 2)
    fails(tiletree, 3, "NotFound", "info", OTHER, "--vkey", vkey)
    fails(tiletree, 2, "UsageError", "status", OTHER)
    fails(tiletree, 3, "NotFound", "status", OTHER, "--private", OTHER_PRIVATE)


def test_get_prove_verify(tiletree: Command, vkey: str, s3: ObjectServer) -> None:
    """Entries and proofs from the bucket; a changed bundle or tile is wrong, a missing one cannot be read."""
    entry = tiletree("get", LOG, 1, "--vkey", vkey)
    assert entry.code == 0
    assert "size" in entry.out
    fails(tiletree, 2, "UsageError", "get", LOG, 2, "--vkey", vkey)
    tiletree.ok("prove", LOG, "b", "-o", "q", "--vkey", vkey)
    tiletree.ok("verify", "b", "--proof", "q", "--vkey", vkey)
    tiletree.ok("verify", "a", "--proof", "p", "--vkey", vkey)
    assert tiletree("verify", "a", "--proof", "q", "--vkey", vkey).code == 1
    assert tiletree("prove", LOG, *files("never"), "--vkey", vkey).code != 0
    bundle = "log/tile/entries/000.p/2"
    data = s3.objects["public"][bundle]
    s3.put("public", bundle, data[:-1] + b"?")
    fails(tiletree, 1, "TileError", "get", LOG, 1, "--vkey", vkey)
    s3.remove("public", bundle)
    fails(tiletree, 3, "NotFound", "get", LOG, 1, "--vkey", vkey)


def test_audit_and_repair(tiletree: Command, vkey: str, s3: ObjectServer) -> None:
    """Findings are exit code 1; what is lost comes back from a mirror, what is wrong is set aside."""
    audit = tiletree.ok("audit", LOG, "--vkey", vkey)
    assert audit["findings"] == []
    owner_only(s3, "public", "mirror")
    tile, bundle = "log/tile/0/000.p/2", "log/tile/entries/000.p/2"
    before = dict(s3.objects["public"])
    s3.remove("public", tile)
    s3.put("public", bundle, b"wrong")
    for path, data in before.items():
        s3.put("mirror", path, data)
    found = tiletree("audit", LOG, "--vkey", vkey, "--json")
    assert found.code == 1
    assert {each["path"] for each in found.json["findings"]} >= {"tile/0/000.p/2"}
    assert tiletree("repair", LOG, "--vkey", vkey, "--json").code != 0
    tiletree.ok("repair", LOG, "--vkey", vkey, "--from", f"{s3.url}/mirror/log")
    assert dict(s3.objects["public"]) == before
    assert b"wrong" in s3.objects["private"].values()
    tiletree.ok("audit", LOG, "--vkey", vkey)
    assert tiletree("repair", OTHER, "--private", OTHER_PRIVATE, "--vkey", vkey, "--json").code == 3


def test_gc(tiletree: Command, vkey: str, s3: ObjectServer) -> None:
    """Partial tiles of full ones go, and not before the grace period is over."""
    Path("lines").write_text("".join(f"{n}\n" for n in range(300)))
    tiletree.ok("add", LOG, "--lines", "lines")
    assert (nothing := tiletree.ok("gc", LOG))["bytes"] == 0, nothing
    before = contents(s3)
    dry = tiletree.ok("gc", LOG, "--grace", 0, "--dry-run")
    assert contents(s3) == before
    done = tiletree.ok("gc", LOG, "--grace", 0)
    gone = before["public"].keys() - s3.objects["public"].keys()
    assert gone == {"log/tile/0/000.p/2", "log/tile/entries/000.p/2"}
    assert done["bytes"] == dry["bytes"] == sum(len(before["public"][path]) for path in gone)
    tiletree.ok("audit", LOG, "--vkey", vkey)
    fails(tiletree, 2, "UsageError", "gc", LOG, "--grace", "-1")
    fails(tiletree, 3, "NotFound", "gc", OTHER, "--private", OTHER_PRIVATE)


def test_import(tiletree: Command, vkey: str, s3: ObjectServer) -> None:
    """From bucket to bucket, with the root of the source; a log that has other entries is refused."""
    begin(tiletree, OTHER, OTHER_PRIVATE, origin="other.example.com")
    done = tiletree.ok("import", LOG, OTHER, "--vkey", vkey)
    assert done["size"] == 2
    roots = [tiletree.ok("info", url)["root"] for url in (LOG, OTHER)]
    assert roots[0] == roots[1]
    tiletree.ok("add", OTHER, "--again", "a")
    tiletree.ok("add", LOG, "--again", "b")
    before = contents(s3)
    assert tiletree("import", LOG, OTHER, "--vkey", vkey, "--json").code in (1, 4)
    assert contents(s3) == before


def test_submit_and_sequence(tiletree: Command, vkey: str, s3: ObjectServer) -> None:
    """What is submitted waits, is logged or refused by the next run, and the run says both."""
    sent = tiletree.ok("submit", LOG, *files("c", "d"), "--submitter", "ann")
    assert (sent["submitter"], sent["logged"], len(sent["submissions"])) == ("ann", False, 1)
    assert "submission ann/" in sent["receipt"]
    fails(tiletree, 2, "UsageError", "submit", LOG, "c", "--submitter", "Not A Name")
    fails(tiletree, 2, "UsageError", "submit", LOG, "not-there", "--submitter", "ann")
    fails(tiletree, 2, "UsageError", "submit", OTHER, "c", "--submitter", "ann")
    late = tiletree(
        "submit", LOG, "--again", "a", "--submitter", "bob", "--wait", "--timeout", 0, "--vkey", vkey, "--json"
    )
    assert late.code == 8
    assert "submission bob/" in late.json["receipt"]
    s3.put("private", f"log/inbox/eve/{'0' * 32}-{'1' * 64}", b"tiletree-submission/v1\nentries 1\n\n\0\0")
    s3.put("private", "log/inbox/strange", b"no submission has such a name")
    done = tiletree.ok("sequence", LOG)
    assert sum(each["count"] for each in done["batches"]) == 3
    assert sum(each["submissions"] for each in done["batches"]) == 2
    assert done["refused"]["eve"] == 1
    assert done["backlog"] == {"objects": 0, "bytes": 0, "oldest": None}
    assert (done["size"], done["retries"]) == (5, 0)
    tiletree.ok("audit", LOG, "--vkey", vkey)


def test_sequence_limits(tiletree: Command, vkey: str, s3: ObjectServer) -> None:
    """--max-entries and --max-bytes make more batches, --align holds entries back; a wrong limit is a wrong call."""
    for number in range(4):
        data = format_submission([f"{number} {n}".encode() for n in range(100)])
        s3.put("private", f"log/{Name('ann', f'{number:032x}', sha256(data).hexdigest()).path}", data)
    held = tiletree.ok("sequence", LOG, "--align")
    assert (held["size"], held["backlog"]["objects"]) == (2, 4)
    done = tiletree.ok("sequence", LOG, "--max-entries", 150)
    assert len(done["batches"]) >= 2
    assert max(each["count"] for each in done["batches"]) <= 150
    assert done["size"] == 402
    for wrong in (["--max-entries", 0], ["--max-bytes", 0], ["--watch", 0], ["--align", "--watch", 9, "--max-hold", 1]):
        fails(tiletree, 2, "UsageError", "sequence", LOG, *wrong)


def test_another_admission_policy(tiletree: Command, vkey: str, s3: ObjectServer) -> None:
    """A run that expects another policy than the log's refuses; a file that is none is a wrong call."""
    Path("strict").write_text("tiletree-admission/v1\nmax-entries 1\n")
    Path("none").write_text("max-entries 1\n")
    before = contents(s3)
    assert "admission policy" in fails(tiletree, 4, "Refused", "sequence", LOG, "--admission", "strict")
    fails(tiletree, 2, "UsageError", "sequence", LOG, "--admission", "none")
    fails(tiletree, 2, "UsageError", "sequence", LOG, "--admission", "not-there")
    assert contents(s3) == before


def test_watch(tiletree: Command, vkey: str, s3: ObjectServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that reach nothing are reported, and the next one goes on; JSON has a line for each that did something."""
    tiletree.ok("submit", LOG, "--again", "a", "--submitter", "ann")
    runs = iter(["fails", "works", "nothing", "ends"])
    original = sequence_module.Run.go

    def go(run: Any, log: Any, limits: Any, *is_ended: Any) -> None:
        now = next(runs)
        if now == "fails":
            raise AccessError("s3://private/log/head: no answer in time")
        if now == "ends":
            raise KeyboardInterrupt
        original(run, log, limits, *is_ended)

    monkeypatch.setattr(sequence_module.Run, "go", go)
    done = tiletree("sequence", LOG, "--watch", 0.1, "--json")
    assert done.code == 130
    assert "hint: the next run is in 0.1 seconds" in done.err
    failed, first, last = map(json.loads, done.out.splitlines())
    assert failed["error"]["kind"] == "AccessError"
    assert first["size"] == 3
    assert list(last) == ["error"]
    assert last["error"]["kind"] == "Interrupted"
    assert last["error"]["message"].startswith("interrupted; what was committed stays")
    tiletree.ok("submit", LOG, "--again", "a", "--submitter", "ann")
    runs = iter(["commits", "finishes", "nothing", "ends"])
    tiletree.ok("sequence", LOG, "--only", "commit")
    finished, _ = map(json.loads, tiletree("sequence", LOG, "--watch", 0.1, "--json").out.splitlines())
    assert (finished["batches"], finished["finished"]) == ([], [{"first_index": 3, "count": 1}])


def test_freeze(tiletree: Command, vkey: str, s3: ObjectServer) -> None:
    """After it nothing is added, everything is read; without a yes nothing happens."""
    assert tiletree("freeze", LOG).code != 0
    tiletree.ok("add", LOG, "--again", "a")
    tiletree.ok("submit", LOG, "--again", "a", "--submitter", "ann")
    done = tiletree.ok("freeze", LOG, "--yes")
    assert (done["origin"], done["size"], done["frozen"]) == (ORIGIN, 3, True)
    before = contents(s3)
    for command in (["add", LOG, "--again", "a"], ["sequence", LOG]):
        assert "frozen at size 3" in fails(tiletree, 4, "Refused", *command)
    assert contents(s3) == before
    tiletree.ok("freeze", LOG, "--yes")
    tiletree.ok("audit", LOG, "--vkey", vkey)
    fails(tiletree, 2, "UsageError", "freeze", OTHER, "--yes")


@pytest.mark.parametrize(("dialect", "scheme"), quickly([("gcs", "gs"), ("azure", "az")], [("azure", "az")]))
def test_the_other_stores(dialect: str, scheme: str, tiletree: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same commands on Google Cloud Storage and Azure, from beginning to end."""
    pytest.importorskip("obstore", reason="NOT TESTED on object stores: obstore is not installed")
    with ObjectServer(dialect) as server:
        use_environment(monkeypatch, server.environment())
        log, private = f"{scheme}://public/log", f"{scheme}://private/log"
        readable = tiletree("init", log, "--private", private, "--origin", ORIGIN)
        assert readable.code == 4
        assert "can be read by anyone" in readable.err
        assert contents(server) == {}
        made = begin(tiletree, log, private, "--readable-private", "--gzip", "--anchor", f"{scheme}://anchors/a")
        tiletree.ok("add", log, *files("a", "b"), "--payload", "--again")
        tiletree.ok("submit", log, "--again", "a", "--submitter", "ann")
        server.remove("public", "log/tile/0/000.p/2")
        tiletree.ok("repair", log, "--vkey", made)
        assert tiletree.ok("sequence", log)["size"] == 3
        tiletree.ok("gc", log, "--grace", 0)
        tiletree.ok("prove", log, "b", "-o", "q", "--vkey", made)
        tiletree.ok("verify", "b", "--proof", "q", "--vkey", made)
        assert tiletree.ok("audit", log, "--vkey", made)["findings"] == []
        assert tiletree.ok("status", log)["anchor"]["size"] == 3
        assert tiletree.ok("freeze", log, "--yes")["frozen"]
