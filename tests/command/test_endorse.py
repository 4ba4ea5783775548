"""`tiletree endorse`, `prove --through`, `disclose`, and what `verify` makes of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import Command
from tests.support.fault_server import serving

PRIVATE, PUBLIC = "private.example.com", "public.example.com"


class Logs:
    """A private log at `private` with key `own`, which holds `a` and `b`; a public one at `public` with key `k`."""

    def __init__(self, tiletree: Command) -> None:
        self.call = tiletree
        self.own, self.vkey = tiletree.prepared(_begin)

    def endorse(self, *words: object) -> dict[str, Any]:
        """Endorse the private log in the public one."""
        return self.call.ok("endorse", "private", "--in", "public", "--log-key", "k", *words)

    def prove(self, what: str = "a") -> dict[str, Any]:
        """Prove a file through the public log, into `p.tlog-proof` and `p.endorsement`."""
        return self.call.ok(
            "prove", "private", what, "--through", PUBLIC, "--public-vkey", self.vkey, "-o", "p.tlog-proof"
        )


def _begin(tiletree: Command) -> tuple[str, str]:
    own = tiletree.ok("init", "private", "--origin", PRIVATE, "--key", "own", "--no-page")["vkey"]
    vkey = tiletree.ok("init", "public", "--origin", PUBLIC, "--key", "k", "--no-page")["vkey"]
    for log in ("private", "public"):
        tiletree.ok("key", "forget", log)  # whoever began them remembers them
    for name in ("a", "b", "c"):
        Path(name).write_text(f"content of {name}\n")
    tiletree.ok("add", "private", "a", "b", "--key", "own")
    tiletree.ok("add", "public", "c", "--key", "k")
    return own, vkey


@pytest.fixture
def logs(tiletree: Command) -> Logs:
    """Return the two logs."""
    return Logs(tiletree)


def objects(directory: str) -> dict[str, bytes]:
    """Return the files below a directory."""
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in Path(directory).rglob("*") if path.is_file()
    }


def test_logged_once(logs: Logs) -> None:
    """Each size is one entry, and a second call finds it; it is an entry of its own kind, found by the origin."""
    first = logs.endorse()
    assert (first["already"], first["endorsed"]["index"], first["endorsed"]["tree"]["size"]) == (False, 1, 2)
    again = logs.endorse()
    assert (again["already"], again["endorsed"]) == (True, first["endorsed"])
    shutil.rmtree("private/endorsed")  # the proof is lost, and the entry is not logged again
    assert logs.endorse()["already"] is True
    logs.call.ok("add", "private", "c", "--key", "own")
    assert logs.endorse()["endorsed"]["index"] == 2
    hits = logs.call.ok("search", "public", "--kind", f"origin/1={PRIVATE}")["hits"]
    assert [(hit["index"], hit["kind"]) for hit in hits] == [(2, "endorsement"), (1, "endorsement")]
    checked = logs.call.ok("endorse", "private", "--in", "public", "--check")
    assert checked["endorsed_sizes"] == [{"size": 2, "index": 1}, {"size": 3, "index": 2}]
    assert logs.call.ok("audit", "private")["findings"] == []


def test_submitted(logs: Logs) -> None:
    """Whoever has no key of the public log submits, and waits; what is there already is not submitted."""
    words = ("endorse", "private", "--in", "public", "--submit", "--submitter", "ann")
    assert logs.call(*words, "--timeout", 0).code == 8
    logs.call.ok("sequence", "public", "--key", "k")
    done = logs.call.ok(*words, "--timeout", 0)
    assert done["endorsed"]["index"] == 1
    assert not list(Path("public.private/inbox").rglob("*-*"))
    logs.call.ok("add", "private", "c", "--key", "own")
    wrong = logs.call(*words, "--timeout", 0, "--private", "private.private")
    assert (wrong.code, "is the private part of private.example.com" in wrong.err) == (2, True)
    assert not Path("private.private/inbox").exists()


def test_logged_by_another_program(logs: Logs) -> None:
    """The entry is written to a file, and the proof that comes back is kept, with the entry in it or without."""
    logs.call.ok("endorse", "private", "--out", "entry")
    logs.call.ok("add", "public", "--raw", "entry", "--key", "k")
    logs.call.ok("prove", "public", "--index", 1, "-o", "back")
    done = logs.call.ok("endorse", "private", "--proof", "back", "--public-vkey", logs.vkey)
    assert done["endorsed"]["index"] == 1
    kept = objects("private/endorsed")
    logs.call.ok("add", "private", "c", "--key", "own")
    logs.call.ok("endorse", "private", "--proof", "back", "--entry", "entry", "--public-vkey", logs.vkey)
    assert objects("private/endorsed") == kept
    # without the entry, the proof is not of what the log shows now
    assert logs.call("endorse", "private", "--proof", "back", "--public-vkey", logs.vkey).code == 1
    assert logs.call("endorse", "private", "--proof", "back").code == 2  # no key of the public log is known
    assert logs.call("endorse", "private", "--proof", "back", "--public-vkey", logs.own).code == 1


def test_proof_and_endorsement(logs: Logs) -> None:
    """Both together show that the private key signed the tree, and that the public log holds that."""
    logs.endorse()
    logs.call.ok("add", "private", "c", "--key", "own")
    done = logs.prove()
    assert (done["index"], done["size"], done["endorsement"]) == (0, 2, "p.endorsement")
    words = ("verify", "a", "--proof", "p.tlog-proof", "--endorsement", "p.endorsement", "--vkey", logs.own)
    shown = logs.call.ok(*words, "--public-vkey", logs.vkey)
    assert (shown["endorsed"]["origin"], shown["endorsed"]["tree"]["size"]) == (PUBLIC, 2)
    said = logs.call(*words, "--public-vkey", logs.vkey).out
    assert "undated" in said
    assert "does not show that this is the log's only history" in said
    assert logs.call(*words).code == 2
    assert logs.call(*words, "--public-vkey", logs.own).code == 1
    assert logs.call("prove", "private", "c", "--through", PUBLIC, "--public-vkey", logs.vkey, "-o", "q").code == 8
    logs.endorse()
    logs.call.ok("prove", "private", "a", "--through", PUBLIC, "--public-vkey", logs.vkey, "-o", "q")
    mixed = logs.call(*words[:5], "q.endorsement", *words[6:], "--public-vkey", logs.vkey)
    assert (mixed.code, "the proof leads to" in mixed.err) == (1, True)


def test_dated(logs: Logs) -> None:
    """The time is that until which the public log's quorum holds, where its reader asks for one."""
    from tests.support.command_line import WITNESS
    from tests.support.signed_text import TIME, sign
    from tiles.notes.checkpoint import parse_signed_checkpoint, with_signatures

    shown = Path("public/checkpoint")
    logs.endorse()
    shutil.rmtree("private/endorsed")
    signed = parse_signed_checkpoint(shown.read_bytes())
    shown.write_bytes(
        with_signatures(signed.checkpoint, [*signed.note.signatures, sign(signed.checkpoint, WITNESS)]).data
    )
    Path("policy").write_text(f"log {logs.vkey}\nwitness w {WITNESS.verifier.vkey}\nquorum w\n")
    logs.endorse("--public-policy", "policy")
    logs.prove()
    words = ("verify", "a", "--proof", "p.tlog-proof", "--endorsement", "p.endorsement", "--vkey", logs.own)
    assert logs.call.ok(*words, "--public-policy", "policy")["endorsed"]["time"] == TIME
    assert "by 2023-03-20 12:25:47 UTC" in logs.call(*words, "--public-policy", "policy").out


def test_disclosed_to_an_outsider(logs: Logs) -> None:
    """Who has the directory and the public log's vkey verifies offline; whatever is changed in it does not verify."""
    logs.endorse()
    words = ("disclose", "private", "1", "0", "--through", PUBLIC, "--public-vkey", logs.vkey, "-o", "shown")
    done = logs.call.ok(*words)
    assert [each["index"] for each in done["entries"]] == [0, 1]
    assert logs.call(*words).code == 2  # it is there already
    shutil.copytree("shown", "elsewhere")
    for gone in ("private", "private.private", "public", "public.private", "home"):
        shutil.rmtree(gone)
    words = ("verify", "--disclosure", "elsewhere", "--public-vkey", logs.vkey)
    shown = logs.call.ok(*words)
    assert (shown["trust"], shown["vkey"]) == ("claimed by the disclosure", logs.own)
    assert [each["index"] for each in shown["entries"]] == [0, 1]
    assert (
        "is not known to be that of" in logs.call("verify", "--disclosure", "elsewhere", "--public-vkey", logs.vkey).out
    )
    assert logs.call.ok(*words, "--vkey", logs.own)["trust"] == "pinned"
    assert logs.call("verify", "--disclosure", "elsewhere").code == 2
    other = logs.call("verify", "--disclosure", "elsewhere", "--public-vkey", logs.vkey, "--vkey", logs.vkey)
    assert other.code == 1
    proof = ("--proof", "elsewhere/0.tlog-proof", "--endorsement", "elsewhere/endorsement", "--vkey", logs.own)
    logs.call.ok("verify", "a", *proof, "--public-vkey", logs.vkey)
    assert logs.call("verify", "b", *proof, "--public-vkey", logs.vkey).code == 1
    Path("elsewhere/1.entry").write_bytes(Path("elsewhere/0.entry").read_bytes())
    changed = logs.call("verify", "--disclosure", "elsewhere", "--public-vkey", logs.vkey, "--json")
    assert (changed.code, changed.json["verified"]) == (1, False)
    shutil.copy("shown/1.entry", "the-right-bytes")
    Path("elsewhere/1.entry").unlink()
    Path("elsewhere/1.entry").symlink_to(Path("the-right-bytes").absolute())
    assert logs.call("verify", "--disclosure", "elsewhere", "--public-vkey", logs.vkey).code == 1


def test_what_is_not_endorsed_is_not_disclosed(logs: Logs) -> None:
    """An entry that came later, or a log that was never endorsed."""
    words = ("--through", PUBLIC, "--public-vkey", logs.vkey, "-o", "shown")
    assert logs.call("disclose", "private", "0", *words).code == 8
    logs.endorse()
    logs.call.ok("add", "private", "c", "--key", "own")
    assert logs.call("disclose", "private", "2", *words).code == 8
    assert not Path("shown").exists()


def rewrite(logs: Logs) -> None:
    """Let the private log be another one: begun anew with its key, with other entries, and more of them."""
    for gone in ("private", "private.private", "own.anchor", "home"):  # who has seen the log may not begin it again
        shutil.rmtree(gone, ignore_errors=True)
    logs.call.ok("init", "private", "--origin", PRIVATE, "--key", "own", "--no-page")
    logs.call.ok("add", "private", "c", "b", "a", "--key", "own")
    shutil.rmtree("home")  # nobody remembers the log, or its key


def test_a_history_that_was_changed(logs: Logs) -> None:
    """The endorsement tells, to those who have never seen the log before: the evidence is saved, and verifies."""
    logs.endorse()
    kept = objects("private/endorsed")
    rewrite(logs)
    found = logs.call("endorse", "private", "--in", "public", "--check", "--vkey", logs.own)
    assert (found.code, "shows two histories" in found.err) == (7, True)
    (evidence,) = Path("home/XDG_STATE_HOME/tiletree/forks").iterdir()
    fork = logs.call.ok("verify", "--fork", evidence, "--vkey", logs.own)
    assert fork["origin"] == PRIVATE
    for path, data in kept.items():  # with what it kept, it endorses nothing more, and proves and discloses nothing
        (Path("private/endorsed") / path).parent.mkdir(parents=True, exist_ok=True)
        (Path("private/endorsed") / path).write_bytes(data)
    assert logs.call("endorse", "private", "--in", "public", "--log-key", "k").code == 7
    through = ("--through", PUBLIC, "--public-vkey", logs.vkey)
    assert logs.call("prove", "private", "a", *through, "-o", "p").code == 7
    assert logs.call("disclose", "private", "0", *through, "-o", "shown").code == 7
    assert not Path("p").exists()
    assert not Path("shown").exists()


def test_another_history_of_the_same_size(logs: Logs) -> None:
    """Two endorsed trees of one size are evidence, whatever the log shows now."""
    logs.endorse()
    begin_anew(logs)
    logs.endorse()
    assert logs.call("endorse", "private", "--in", "public", "--check").code == 7


def watch(logs: Logs, *words: object) -> tuple[int, list[dict[str, Any]]]:
    """Watch the public log, and what else is named, for endorsements of the private one; return the code and rounds."""
    Path("policy").write_text(f"log {logs.vkey}\nlog {logs.own}\nquorum none\n")
    call = ("monitor", "public", *words, "--state", "state", "--endorsed", logs.own, "--policy", "policy", "--json")
    done = logs.call(*call)
    return done.code, [json.loads(line) for line in done.out.splitlines()]


def begin_anew(logs: Logs) -> None:
    """Let the private log's owner, who has the key, begin another history of two entries."""
    rewrite(logs)
    for gone in ("private", "private.private", "own.anchor"):
        shutil.rmtree(gone)
    logs.call.ok("init", "private", "--origin", PRIVATE, "--key", "own", "--no-page")
    logs.call.ok("add", "private", "b", "a", "--key", "own")


def test_watched_by_somebody_who_cannot_read_it(logs: Logs) -> None:
    """Two endorsed trees of one size are evidence to whoever watches the public log, and knows the private key."""
    logs.endorse()
    code, (told,) = watch(logs, "--begin", "first")
    expected = {"origin": PRIVATE, "first_index": 0, "trees": 1, "others": 0}
    assert (code, told["endorsed"]) == (0, [expected])
    begin_anew(logs)
    logs.endorse()
    shutil.rmtree("private")
    code, told = watch(logs)
    assert (code, [each["event"] for each in told]) == (7, ["trouble", "round"])
    (evidence,) = Path("state/forks").iterdir()
    assert logs.call.ok("verify", "--fork", evidence, "--vkey", logs.own)["origin"] == PRIVATE
    shutil.rmtree("state/endorsed")
    assert watch(logs)[0] == 4


def test_watched_together(logs: Logs) -> None:
    """A private history that was changed afterwards is caught by its endorsement, by one call of a new user."""
    logs.endorse()
    assert watch(logs, "private", "--begin", "first")[0] == 0
    (held,) = Path("state/endorsed").glob("*/held/2")
    assert held.read_text().startswith(f"{PRIVATE}\n2\n")
    rewrite(logs)
    shutil.rmtree("state")
    code, told = watch(logs, "private", "--begin", "first")
    assert code == 7
    assert [each["log"] for each in told if each["event"] == "trouble"] == ["private"]
    (evidence,) = Path("state/forks").iterdir()
    assert logs.call.ok("verify", "--fork", evidence, "--vkey", logs.own)["origin"] == PRIVATE
    assert watch(logs, "private")[0] == 7  # until somebody has looked into it


def test_behind_a_server(logs: Logs) -> None:
    """Readers need the files that the log serves, and nothing else."""
    logs.endorse()
    with serving(objects("private")) as server:
        words = ("--vkey", logs.own, "--through", PUBLIC, "--public-vkey", logs.vkey)
        logs.call.ok("prove", server.url, "a", *words, "-o", "p.tlog-proof")
        logs.call.ok("disclose", server.url, "1", *words, "-o", "shown")
        newest = next(path for path in server.objects if path.endswith("/newest"))
        server.objects[newest] = b"<html><body>please log in</body></html>"
        assert logs.call("prove", server.url, "a", *words, "-o", "q").code == 3
        server.objects[newest] = b"garbage"
        assert logs.call("prove", server.url, "a", *words, "-o", "q").code == 1
        del server.objects[newest]
        assert logs.call("prove", server.url, "a", *words, "-o", "q").code == 8
        assert not Path("q").exists()


@pytest.mark.parametrize(
    "words",
    [
        "endorse private",
        "endorse private --in public --out e",
        "endorse private --out e --check",
        "endorse private --out e --submit",
        "endorse private --in public --scan",
        "endorse private --in public --submit --check",
        "endorse private --in public --submitter ann",
        "endorse private --in public --entry a",
        "prove private a --through public.example.com",
        "prove private a --public-vkey VKEY",
        "verify a --endorsement b",
        "verify a --proof a --endorsement b --signature a",
        "verify a --proof a --public-vkey VKEY",
        "verify --disclosure private --proof a",
        "verify --disclosure private --fork private",
    ],
)
def test_wrong_calls(logs: Logs, words: str) -> None:
    """They are told apart from what is wrong with a log, and nothing is written."""
    before = objects(".")
    assert logs.call(*words.replace("VKEY", logs.vkey).split()).code == 2
    assert {path for path in objects(".").items() ^ before.items() if not path[0].startswith("home/")} == set()
