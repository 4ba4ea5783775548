"""The command line: what it prints, its JSON, its exit codes; never a traceback."""

from __future__ import annotations

import base64
import stat
from hashlib import sha256
from pathlib import Path

import click
import pytest

from tests.support.command_line import ORIGIN, Command
from tiles.entries.file_digest import digest_entry
from tiles.notes.checkpoint import with_signatures
from tiles.notes.cosignature import cosign
from tiles.notes.keys import SignatureType, signing_key
from tiles.notes.tlog_proof import TlogProof, parse_tlog_proof
from tiles.tree.merkle import leaf_hash
from tiletree.cli import cli

WITNESS = signing_key("witness.example.com", bytes(32), SignatureType.COSIGNATURE)


def digest(data: bytes) -> bytes:
    """Return the digest entry of a file's content, from its definition."""
    return digest_entry(sha256(data).hexdigest(), len(data))


def test_init_says_what_it_made(tiletree: Command) -> None:
    """`init --json` is exactly origin, vkey and size; the key is 0600 and never shown."""
    done = tiletree("init", "log", "--origin", ORIGIN, "--key", "k", "--json")
    assert done.code == 0
    assert list(done.json) == ["origin", "vkey", "size"]
    assert (done.json["origin"], done.json["size"]) == (ORIGIN, 0)
    assert stat.S_IMODE(Path("k").stat().st_mode) == 0o600
    secret = Path("k").read_text().strip().split("+", 4)[4]
    assert secret not in done.out + done.err
    again = tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k")
    assert again == done.json


def test_init_without_a_key_keeps_one_by_origin(tiletree: Command) -> None:
    """Without --key, the key is kept in the user's configuration, and later commands find it by the log's origin."""
    tiletree.ok("init", "log", "--origin", "log.example.com/a b".replace(" ", "-"))
    Path("f").write_bytes(b"f")
    assert tiletree.ok("add", "log", "f")["size"] == 1
    assert tiletree.ok("status", "log")["anchor"]["size"] == 1


def test_add_says_where_each_entry_is(tiletree: Command, log: str) -> None:
    """`add --json` has ranges, entries with index, leaf hash and name, size, root, published."""
    Path("c").write_bytes(b"")
    document = tiletree.ok("add", "log", "c", "a", "--key", "k")
    assert list(document) == ["ranges", "entries", "size", "root", "published"]
    assert document["ranges"] == [{"first_index": 2, "count": 2}]
    assert document["published"] is True
    assert [(entry["index"], entry["name"]) for entry in document["entries"]] == [(2, "c"), (3, "a")]
    assert document["entries"][0]["leaf_hash"] == leaf_hash(digest(b"")).hex()
    assert document["root"] == tiletree.ok("info", "log", "--vkey", log)["root"]


def test_lines_are_entries(tiletree: Command, log: str) -> None:
    """A newline ends a line, a carriage return is kept, an empty line is an empty entry; the last newline may lack."""
    document = tiletree.ok("add", "log", "--stdin-lines", "--key", "k", stdin=b"one\r\n\nthree")
    assert [entry["leaf_hash"] for entry in document["entries"]] == [
        leaf_hash(line).hex() for line in (b"one\r", b"", b"three")
    ]
    Path("lines").write_bytes(b"x\n")
    assert tiletree.ok("add", "log", "--lines", "lines", "--key", "k")["size"] == 6
    assert base64.b64decode(tiletree.ok("get", "log", 5, "--vkey", log)["entry"]) == b"x"


def test_many_entries_are_ranges_only(tiletree: Command, log: str) -> None:
    """Above 1,000 entries there are ranges and no entries, complete and in input order."""
    lines = b"".join(b"%d\n" % n for n in range(1001))
    document = tiletree.ok("add", "log", "--stdin-lines", "--key", "k", "--batch-size", 300, stdin=lines)
    assert "entries" not in document
    assert document["ranges"] == [{"first_index": 2, "count": 1001}]
    text = tiletree("add", "log", "--stdin-lines", "--key", "k", "--batch-size", 600, stdin=lines).out
    assert len(text.splitlines()) < 700


def test_nothing_to_add_is_no_error(tiletree: Command, log: str) -> None:
    """An empty input adds nothing, and says what the log is."""
    document = tiletree.ok("add", "log", "--stdin-lines", "--key", "k")
    assert document["ranges"] == []
    assert document["size"] == 2


def test_a_line_that_is_too_long_is_refused(tiletree: Command, log: str) -> None:
    """What came before it is added and reported; the error names the line; exit code 2."""
    done = tiletree("add", "log", "--stdin-lines", "--key", "k", "--json", stdin=b"x\n" + b"y" * 65_536 + b"\nz\n")
    assert done.code == 2
    assert done.json["ranges"] == [{"first_index": 2, "count": 1}]
    assert "line 2" in done.json["error"]["message"]


def test_raw_logs_the_bytes(tiletree: Command, log: str) -> None:
    """--raw logs up to 65,535 bytes as they are; one more is refused before anything is added."""
    Path("most").write_bytes(b"m" * 65_535)
    Path("more").write_bytes(b"m" * 65_536)
    done = tiletree("add", "log", "most", "more", "--raw", "--key", "k")
    assert done.code == 2
    assert tiletree.ok("info", "log", "--vkey", log)["size"] == 2
    tiletree.ok("add", "log", "most", "--raw", "--key", "k")
    tiletree.ok("prove", "log", "--index", 2, "-o", "q")
    assert tiletree.ok("verify", "most", "--proof", "q", "--vkey", log)["matched"] == "raw"


def test_verify_says_what_it_verified(tiletree: Command, log: str) -> None:
    """`verify --json` is exactly verified, index, size, origin, trust, matched."""
    assert tiletree.ok("verify", "a", "--proof", "p", "--vkey", log) == {
        "verified": True,
        "index": 0,
        "size": 2,
        "origin": ORIGIN,
        "trust": "pinned",
        "matched": "file",
    }


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536])
def test_files_of_every_size(tiletree: Command, log: str, size: int) -> None:
    """Files around the limits of an entry are added, proved and verified alike."""
    Path("f").write_bytes(b"f" * size)
    index = tiletree.ok("add", "log", "f", "--key", "k")["entries"][0]["index"]
    tiletree.ok("prove", "log", "f", "-o", "q", "--vkey", log)
    document = tiletree.ok("verify", "f", "--proof", "q", "--vkey", log)
    assert (document["index"], document["matched"]) == (index, "file")


def test_verification_that_fails_exits_1(tiletree: Command, log: str) -> None:
    """A changed file, another log's key, a cut or garbled proof: exit code 1, and the document says not verified."""
    other = signing_key(ORIGIN, bytes(32)).verifier.vkey
    Path("changed").write_bytes(b"content of A\n")
    Path("garbage").write_bytes(b"\xff\x00")
    Path("cut").write_bytes(Path("p").read_bytes()[:-1])
    for file, proof, vkey in (("changed", "p", log), ("a", "p", other), ("a", "garbage", log), ("a", "cut", log)):
        done = tiletree("verify", file, "--proof", proof, "--vkey", vkey, "--json")
        assert done.code == 1
        assert done.json["verified"] is False
        assert done.json["error"]["message"]


def test_wrong_calls_exit_2(tiletree: Command, log: str) -> None:
    """Missing files, keys that are none, nothing to trust, unknown options: exit code 2, in JSON as well."""
    for arguments in (
        ("verify", "missing", "--proof", "p", "--vkey", log),
        ("verify", "a", "--proof", "missing", "--vkey", log),
        ("verify", "a", "--proof", "p", "--vkey", "nonsense"),
        ("verify", "a", "--proof", "p", "--policy", "missing"),
        ("verify", "a", "--proof", "p"),
        ("verify", "a"),
        ("verify", "a", "--proof", "p", "--vkey", log, "--policy", "a"),
        ("add", "log", "--key", "k"),
        ("add", "log", "a", "--stdin-lines", "--key", "k"),
        ("add", "log", "missing", "--key", "k"),
        ("add", "log", "a", "--key", "missing"),
        ("add", "log", "a", "--key", "k", "--batch-size", "0"),
        ("prove", "log", "--vkey", log),
        ("prove", "log", "--index", 2, "--vkey", log),
        ("get", "log", "-1"),
        ("init", "log"),
        ("init", "s3://bucket/log", "--origin", ORIGIN),
        ("nonsense",),
        ("audit",),
    ):
        done = tiletree(*arguments, "--json")
        assert done.code == 2, arguments
        assert done.json["error"]["message"]
        assert "tiletree: " in done.err


def test_what_cannot_be_reached_exits_3(tiletree: Command, log: str) -> None:
    """No log, no server: exit code 3."""
    Path("empty").mkdir()
    for arguments in (
        ("info", "nowhere"),
        ("info", "empty"),
        ("add", "empty", "a", "--key", "k"),
        ("status", "empty"),
        ("prove", "log", "--index", 0, "--vkey", log, "-o", "no/such/directory/p"),
    ):
        assert tiletree(*arguments, "--json").code == 3, arguments


def test_trust_is_explicit(tiletree: Command, log: str) -> None:
    """Pinned, remembered, or first use: every output says which; a first use never verifies a proof."""
    first = tiletree("info", "log", "--json")
    assert list(first.json) == ["origin", "size", "root", "vkey", "trust"]
    assert first.json["trust"] == "first use, not pinned"
    assert "first use, not pinned" in first.err
    assert tiletree("verify", "a", "--proof", "p").code == 2
    tiletree.ok("key", "trust", "log", log)
    assert tiletree.ok("info", "log")["trust"] == "remembered"
    assert tiletree.ok("verify", "a", "--proof", "p")["trust"] == "remembered"
    assert tiletree.ok("info", "log", "--vkey", log)["trust"] == "pinned"
    assert [key["trust"] for key in tiletree.ok("key", "list")["keys"]] == ["remembered"]
    other = signing_key(ORIGIN, bytes(32)).verifier.vkey
    assert tiletree("key", "trust", "log", other).code == 4
    assert tiletree("info", "log", "--vkey", other).code == 1
    tiletree.ok("key", "forget", "log")
    assert tiletree("verify", "a", "--proof", "p").code == 2
    assert tiletree("key", "forget", "log").code == 3


def test_policy_with_a_quorum(tiletree: Command, log: str) -> None:
    """A policy whose quorum the proof's cosignatures do not meet: 1; and 0 when they do."""
    Path("policy").write_text(f"log {log}\nwitness w {WITNESS.verifier.vkey}\nquorum w\n")
    done = tiletree("verify", "a", "--proof", "p", "--policy", "policy", "--json")
    assert done.code == 1
    assert "quorum w is not met" in done.json["error"]["message"]
    assert tiletree("info", "log", "--policy", "policy").code == 1
    proof = parse_tlog_proof(Path("p").read_bytes())
    signed = proof.checkpoint
    lines = [*signed.note.signatures, cosign(signed.checkpoint, WITNESS, 1_700_000_000)]
    cosigned = TlogProof(proof.index, proof.hashes, with_signatures(signed.checkpoint, lines))
    Path("q").write_bytes(cosigned.data)
    assert tiletree.ok("verify", "a", "--proof", "q", "--policy", "policy")["verified"] is True
    refused = tiletree("add", "log", "a", "--key", "k", "--policy", "policy")
    assert refused.code == 4


def test_a_policy_that_needs_witnesses_is_refused_for_writing(tiletree: Command, log: str) -> None:
    """`init` with such a policy exits 4, says why, and makes nothing."""
    vkey = tiletree.ok("key", "generate", "other.example.com", "--out", "o")["vkey"]
    Path("policy").write_text(f"log {vkey}\nwitness w {WITNESS.verifier.vkey}\nquorum w\n")
    done = tiletree("init", "other", "--origin", "other.example.com", "--key", "o", "--policy", "policy")
    assert done.code == 4
    assert "cosignatures" in done.err
    assert not Path("other").exists()
    assert not Path("other.private").exists()


def test_guards_exit_4_and_make_nothing(tiletree: Command, log: str) -> None:
    """Another key for a log that exists, another origin for a key, a key that others can read."""
    assert tiletree("init", "log", "--origin", ORIGIN, "--key", "new").code == 4
    assert not Path("new").exists()
    assert tiletree("init", "log2", "--origin", "other.example.com", "--key", "k").code == 4
    assert tiletree("init", "log2", "--origin", ORIGIN, "--key", "k").code == 4
    assert not Path("log2").exists()
    Path("k").chmod(0o644)
    done = tiletree("add", "log", "a", "--key", "k")
    assert done.code == 4
    assert "chmod 600 k" in done.err


def test_audit_reports_every_finding(tiletree: Command, log: str) -> None:
    """`audit --json` is size, root, findings; a damaged object is one, exit code 1; a sound log has none."""
    sound = tiletree.ok("audit", "log", "--vkey", log)
    assert list(sound) == ["size", "root", "findings"]
    assert sound["findings"] == []
    damaged = [Path("log/tile/entries/000.p/2"), Path("log/checkpoints/002")]
    for path in damaged:
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    done = tiletree("audit", "log", "--vkey", log, "--json")
    assert done.code == 1
    assert {finding["path"] for finding in done.json["findings"]} == {"tile/entries/000.p/2", "checkpoints/002"}


def test_status_says_what_the_next_run_will_do(tiletree: Command, log: str) -> None:
    """Head, base, published, staged, anchor; and exit code 4 where the next run would refuse."""
    document = tiletree.ok("status", "log", "--key", "k")
    assert document["head"] == {"size": 2, "root": document["published"]["root"], "base": 0, "frozen": False}
    assert document["anchor"] == document["published"]
    assert document["next"] == "add to the log, from index 2"
    Path("log/checkpoint").unlink()
    done = tiletree("status", "log", "--key", "k", "--json")
    assert done.code == 4
    assert "gone" in done.json["next"]
    assert tiletree("add", "log", "a", "--key", "k").code == 4


def test_gc_deletes_partial_tiles(tiletree: Command, log: str) -> None:
    """`gc` says what it would delete, deletes it, and the log stays sound."""
    tiletree.ok("add", "log", "--stdin-lines", "--key", "k", stdin=b"x\n" * 300)
    would = tiletree.ok("gc", "log", "--grace", 0, "--dry-run")
    assert (would["tiles"], would["bundles"]) == (1, 1)
    assert tiletree.ok("gc", "log", "--grace", 0) == would | {"dry_run": False}
    assert tiletree.ok("gc", "log", "--grace", 0)["tiles"] == 0
    assert tiletree.ok("audit", "log", "--vkey", log)["findings"] == []


def test_hostile_entries_are_shown_harmless(tiletree: Command, log: str) -> None:
    """What is printed for a person cannot move the cursor; what is written to a pipe is the bytes."""
    name = "\x1b[31mred\r"
    Path(name).write_bytes(b"x")
    done = tiletree("add", "log", name, "--key", "k")
    assert "\x1b" not in done.out
    assert "\\x1b[31mred\\r" in done.out


def test_a_fork_is_evidence_that_anyone_can_check(tiletree: Command, log: str) -> None:
    """A second history under the same key: exit code 1, the evidence is kept, and verifies with one command."""
    tiletree.ok("info", "log", "--vkey", log)
    Path("log").rename("aside")
    Path("log.private").rename("aside.private")
    Path("k.anchor").rename("aside.anchor")
    tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k")
    tiletree.ok("add", "log", "b", "a", "--key", "k")
    done = tiletree("info", "log", "--vkey", log, "--json")
    assert done.code == 1
    assert done.json["error"]["kind"] == "ForkError"
    (evidence,) = Path("home/XDG_STATE_HOME/tiletree/forks").iterdir()
    assert tiletree.ok("verify", "--fork", evidence, "--vkey", log)["verified"] is True
    assert tiletree("info", "log", "--vkey", log).code == 1  # and is not forgotten


def commands(group: click.Group, prefix: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    """Return every command, those of subgroups included."""
    found = []
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found += commands(command, (*prefix, name))
        else:
            found.append(((*prefix, name), command))
    return found


@pytest.mark.parametrize(("words", "command"), commands(cli), ids=str)
def test_every_help_has_an_example(tiletree: Command, words: tuple[str, ...], command: click.Command) -> None:
    """`--help` of every command shows an example of itself, and every command has --json."""
    done = tiletree(*words, "--help")
    assert done.code == 0
    assert f"tiletree {' '.join(words)}" in done.out.partition("Example")[2]
    assert any("--json" in parameter.opts for parameter in command.params)


def test_help_lists_the_exit_codes(tiletree: Command) -> None:
    """`tiletree --help` documents the exit codes; without a command it is a wrong call."""
    assert "exit codes" in tiletree("--help").out
    assert tiletree("--version").out.startswith("tiletree, version ")
    assert tiletree().code == 2
