"""What commands print: no text of others can harm a terminal, whichever command prints it, and wherever it is from."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import pytest

import tiletree.commands
from tests.support.command_line import ORIGIN, Command
from tests.support.hostile import ESCAPED, HOSTILE_LOG, LINES, harm, hostile_policy, write_hostile_log
from tests.support.signature_texts import minisign_files
from tests.support.signatures import write_signatures
from tests.support.signed_bundles import write_bundle
from tiletree.cli import COMMANDS

VKEY = HOSTILE_LOG.verifier.vkey
FILE = f"file {LINES}"
NEW = f"new {LINES}"
LOG = f"log {LINES}"  # one in a place of such a name
NONE = f"nothing {LINES}"
FOLDER = f"folder {LINES}"  # holds files, and what is left out

# what is called, and whether it has to show a hostile text; the calls of one run come one after the other
CALLS: dict[str, list[tuple[list[Any], bool]]] = {
    "info": [(["info", "hostile"], True), (["info", "hostile", "--policy", "policy"], True), (["info", NONE], True)],
    "compare": [
        (["info", "hostile", "--compare", "damaged", "--compare", "other", "--vkey", VKEY], True),
        (["info", "hostile", "--compare", NONE, "--vkey", VKEY], True),
        (["info", "hostile", "--at", "2026-01-01", "--vkey", VKEY], False),
        (["info", "hostile", "--keys", "--vkey", VKEY], True),
        (["prove", "hostile", "--index", 0, "--when", "--vkey", VKEY], True),
    ],
    "loginfo": [
        (["loginfo", "hostile", "--vkey", VKEY], True),
        (["logproof", "hostile", "--vkey", VKEY], False),
        (["logproof", NONE, "--vkey", VKEY], True),
    ],
    "fork": [
        (["info", "hostile", "--vkey", VKEY], True),
        (["info", "other", "--vkey", VKEY], True),
        (["verify", "--fork", "FORK", "--vkey", VKEY], True),
    ],
    "policy": [
        (["policy", "check", "policy"], True),
        (["policy", "check", "policy", "hostile"], True),
        (["policy", "check", "policy", "garbage"], False),
        (["policy", "check", FILE], True),
    ],
    "garbage": [(["info", "garbage", "--vkey", VKEY], False), (["info", "missing", "--vkey", VKEY], False)],
    "get": [
        (["get", "hostile", 0, "--vkey", VKEY], True),
        (["get", "hostile", 0, "--vkey", VKEY, "-o", NEW], False),
        (["get", "hostile", 0, "--vkey", VKEY, "-o", f"{NONE}/{NEW}"], True),
        (["get", "hostile", 0, "--vkey", VKEY, "--payload"], False),
        (["get", "hostile", FILE, "--vkey", VKEY], True),
        (["get", "hostile", "--uuid", "00" * 32, "--vkey", VKEY], True),
    ],
    "prove": [
        (["prove", "hostile", "--index", 0, "--vkey", VKEY], True),
        (["prove", "hostile", "--index", 0, "--vkey", VKEY, "-o", NEW], True),
        (["prove", "hostile", FILE, "--vkey", VKEY], True),
        (["prove", "hostile", FILE, NONE, "--vkey", VKEY, "--out-dir", NEW], True),
        (["prove", "hostile", FILE, "entry", "--vkey", VKEY, "--out-dir", NEW], True),
        (["prove", "hostile", "--all", "--vkey", VKEY, "--out-dir", NEW], True),
        (["prove", "hostile", NONE], True),
        (["verify", FILE, "--proof", NEW], True),
        (["verify", FILE, "--proof", NEW, "--vkey", VKEY], True),
        (["verify", "entry", "--proof", NEW, "--vkey", VKEY], True),
        (["verify", "entry", "--proof", NEW, "--policy", "policy"], True),
        (["verify", FILE, "--proof", NEW, "--policy", FILE], True),
        (["verify", FILE, "entry", "--vkey", VKEY], True),
        (["verify", "--checksums", FILE, "--vkey", VKEY], True),
        (["verify", "--checksums", "list", "--vkey", VKEY], True),
        (["verify", f"http://127.0.0.1:9/{LINES}", "--vkey", VKEY], False),
        (["verify", FILE, "--proof", f"http://127.0.0.1:9/{LINES}", "--vkey", VKEY], False),
    ],
    "bundle": [
        (["verify", FILE, "--bundle", "bundle", "--trusted-root", "root.json", "--key", "s.pub", "--explain"], True),
        (["verify", FILE, "entry", "--bundle", "bundle", "--trusted-root", "root.json", "--key", "s.pub"], True),
        (["verify", FILE, "--trusted-root", "root.json", "--key", "s.pub"], True),
        (["verify", "entry", "--bundle", FILE, "--trusted-root", FILE, "--key", FILE], True),
        (["verify", FILE, "--bundle", "bundle", "--trusted-root", "root.json", "--require", "gate"], True),
        (
            ["verify", FILE, "--bundle", "bundle", "--trusted-root", "root.json", "--require", "one", "--name", NEW],
            True,
        ),
    ],
    "audit": [(["audit", "hostile", "--vkey", VKEY], True), (["audit", "damaged", "--vkey", VKEY], True)],
    "monitor": [
        (["monitor", "hostile", "--state", NEW, "--vkey", VKEY], True),
        (["monitor", "hostile", "--state", NEW, "--begin", "first", "--all", "--vkey", VKEY], True),
        (["monitor", "other", "--state", NEW, "--match", "name/1=*", "--vkey", VKEY], True),
        (
            ["monitor", "damaged", "--state", f"{NEW} 2", "--begin", "first", "--compare", "garbage", "--vkey", VKEY],
            False,
        ),
        (["monitor", NONE, "--state", NEW], True),
        (["monitor", "hostile", "--state", NEW, "--match", LINES], True),
        (["monitor", "hostile", "--state", NEW, "--exec", LINES], True),
        (["monitor", "hostile", "--state", NEW, "--vkey", VKEY, "--endorsed", LINES], False),
    ],
    "repair": [
        (["repair", "hostile", "--private", "none", "--dry-run"], True),
        (["repair", "damaged", "--private", "none", "--vkey", VKEY, "--from", NONE], True),
    ],
    "mirror": [
        (["mirror", "hostile", NEW, "--vkey", VKEY], True),
        (["mirror", "hostile", NEW, "--vkey", VKEY, "--all"], True),
        (["mirror", "damaged", f"{NEW} 2", "--vkey", VKEY], False),
        (["mirror", "hostile", NEW, "--vkey", VKEY, "--mirror", NONE], True),
        (["mirror", NONE, NEW, "--vkey", VKEY], True),
        (["key", "generate", "m.example.com", "--cosigner", "--out", "mk"], False),
        (["mirror", "hostile", LOG, "--vkey", VKEY, "--cosign", "mk"], True),
        (["mirror", "hostile", LOG, "--vkey", VKEY, "--cosign", FILE], False),
        (["info", "hostile", "--vkey", VKEY, "--mirror", NEW, "--mirror", NONE], True),
        (["get", "damaged", 0, "--vkey", VKEY, "--mirror", NEW], False),
    ],
    "move": [(["move", LOG, "there", "--key", "k"], False), (["move", NONE, "there"], True)],
    "import": [(["init", "log", "--origin", ORIGIN], False), (["import", "hostile", "log", "--vkey", VKEY], True)],
    "key": [
        (["key", "generate", VKEY, "--out", "k"], False),
        (["key", "generate", HOSTILE_LOG.name, "--out", NEW], True),
        (["key", "show", NEW], True),
        (["key", "show", FILE], True),
        (["key", "trust", "hostile", VKEY], True),
        (["key", "trust", NONE, VKEY], True),
        (["key", "trust", "hostile", LINES], False),
        (["key", "list"], True),
        (["key", "forget", "hostile"], False),
        (["key", "forget", NONE], True),
    ],
    "signing": [
        (["init", LOG, "--origin", ORIGIN, "--key", "k"], True),
        (["key", "generate", "--signing", "--out", NEW], True),
        (["key", "generate", "--signing", "--out", NEW], True),
        (["sign", FILE, "--log", LOG, "--key", NEW], True),
        (["sign", FILE, "--log", LOG, "--key", FILE], False),
        (["sign", FILE, "--log", LOG, "--key", NONE], True),
        (["sign", FILE, "--log", LOG, "--key", NEW, "-o", f"{NONE}/{NEW}"], True),
        (["sign", FILE, "--log", NONE, "--key", NEW, "--log-key", "k"], False),
        (["attest", FILE, "--predicate", FILE, "--type", "link", "--log", LOG, "--key", NEW], False),
        (["attest", FILE, "--predicate", "json", "--type", LINES, "--log", LOG, "--key", NEW], True),
        (["attest", FILE, "--predicate", "json", "--type", "link", "--log", LOG, "--key", NEW], True),
        (["upload", "--artifact", FILE, "--signature", FILE, "--key", FILE, "--log", LOG], False),
        (["upload", "--artifact", FILE, "--signature", FILE, "--key", f"{NEW}.pub", "--log", LOG], False),
        (
            ["upload", "--artifact", FILE, "--signature", FILE, "--key", FILE, "--pki-format", "ssh", "--log", LOG],
            False,
        ),
        (["upload", "--artifact", FILE, "--signature", "m", "--key", "m.pub", "--log", LOG, "-o", NEW], True),
        (["search", LOG, "--key", "m.pub"], False),
        (["verify", FILE, "--signature", "m", "--key", "m.pub"], True),
        (["upload", "--artifact-hash", LINES, "--signature", FILE, "--key", "sk.pub", "--log", LOG], False),
        (["staple", FILE, "--log", LOG], False),
        (["staple", "unlogged", "--key", "sk.pub", "--log", LOG], False),
        (["trust-root", "hostile", "--vkey", VKEY, "--start", "2026-01-31", "--out", NEW], False),
        (["trust-root", "hostile", "--vkey", VKEY, "--start", "2026-01-31", "--out", LOG], True),
        (["trust-root", NONE, "--out", LOG], True),
    ],
    "index": [
        (["key", "generate", "my.example.com", "--out", "mine"], False),
        (["index", "build", "hostile", NEW, "--key", "mine", "--vkey", VKEY], True),
        (["index", "build", "hostile", "hostile", "--key", "mine", "--vkey", VKEY], False),
        (["index", "build", "hostile", NEW, "--key", "mine", "--kind", LINES, "--vkey", VKEY], False),
        (["index", "build", NONE], True),
        (["index", "check", "hostile", "--vkey", VKEY], True),
        (["index", "stop", NONE], True),
        (["index", "check", "hostile", "--vkey", VKEY, "--against", NONE], True),
    ],
    "page": [(["page", "hostile"], False), (["page", "hostile", "--policy", NONE], True), (["page", NONE], False)],
    "serve": [(["serve", NONE], False)],
    "witness": [
        (["witness", "init", "w", "--name", "w.example.com", "--state", "seen"], False),
        (["witness", "begin", "w", "hostile", "--vkey", VKEY], False),
        (["witness", "begin", "w", NONE, "--vkey", VKEY], False),
        (["witness", "run", "w"], False),
        (["witness", "init", NEW, "--name", LINES, "--state", "seen"], False),
        (["witness", "init", NEW, "--name", "w", "--state", "seen", "--key", LINES], False),
        (["witness", "init", NEW, "--name", "w", "--state", "seen", "--key", f"pkcs11:object={LINES}"], False),
        (["witness", "run", NONE], True),
        (["witness", "serve", "w", "--listen", LINES], True),
    ],
    "shim": [
        (["shim", NONE], True),
        (["shim", "hostile", "--listen", LINES], True),
        (["shim", "hostile", "--submit", "--submitter", LINES], False),
    ],
    "writing": [
        (["init", LOG, "--origin", ORIGIN, "--key", f"key {LINES}"], True),
        (["add", LOG, FILE], True),
        (["add", LOG, FILE, "--dry-run"], True),
        (["add", LOG, NONE], True),
        (["add", LOG, f"{LINES}*"], True),
        (["add", LOG, FOLDER, "--proofs"], True),
        (["add", LOG, FOLDER, "--proofs-in", f"proofs {LINES}"], True),
        (["prove", LOG, FOLDER, FILE, "--beside"], True),
        (["add", LOG, FILE, "--blind"], True),
        (["add", LOG, "--lines", FILE], True),
        (["add", LOG, "--lines", FILE, "--policy", "policy"], True),
        (["submit", LOG, FILE, "--submitter", "ann", "--receipt", f"receipt {LINES}"], True),
        (["submit", LOG, FILE, "--submitter", LINES], False),
        (["submit", LOG, FILE, "--payload", "--submitter", "ann"], True),
        (["submit", LOG, FILE, "--submitter", "bob"], True),
        (["submit", LOG, FILE, "--submitter", "ann", "--wait", "--timeout", 0], True),
        (["submit", LOG, "--bundle", FILE, "--submitter", "ann"], False),
        (["submit", LOG, "--bundle", "unlogged", "--public-key", "sk.pub", "--submitter", "ann"], True),
        (["sequence", LOG], False),
        (["refresh", LOG], False),
        (["status", LOG], False),
        (["status", LOG, "-v", "--log-format", "json", "--max-backlog", 0], False),
        (["cost", "--entries-per-day", 5, "--assume", LINES], True),
        (["gc", LOG, "--grace", 0], False),
        (["admission", LOG], False),
        (["withhold", LOG, 0, "--reason", LINES], True),
        (["withhold", LOG, 0, "--reason", NEW], True),
        (["freeze", LOG, "--yes"], False),
        (["add", LOG, FILE], False),
    ],
    "endorsing": [
        (["init", LOG, "--origin", ORIGIN, "--key", "k"], True),
        (["endorse", "hostile", "--vkey", VKEY, "--in", LOG, "--log-key", "k"], True),
        (["endorse", "hostile", "--vkey", VKEY, "--in", LOG, "--check"], True),
        (["endorse", "hostile", "--vkey", VKEY, "--in", NONE], True),
        (["endorse", "hostile", "--vkey", VKEY, "--out", NEW], True),
        (["get", LOG, 0], True),
        (["search", LOG, "--kind", f"origin/1={HOSTILE_LOG.name}"], False),
        (["endorse", "hostile", "--vkey", VKEY, "--proof", FILE], False),
        (["prove", "hostile", "--index", 0, "--vkey", VKEY, "--through", LINES, "-o", NEW], True),
        (["disclose", "hostile", 0, "--vkey", VKEY, "--through", LINES, "-o", NEW], True),
        (["endorse", LOG, "--in", "hostile", "--submit", "--public-vkey", VKEY, "--timeout", 0], True),
        (["verify", "--disclosure", "hostile", "--public-vkey", VKEY], False),
    ],
    "init": [
        (["init", "new", "--origin", f"a {LINES}"], False),
        (["init", NEW, "--origin", HOSTILE_LOG.name, "--key", "k"], True),
        (["init", "new", "--origin", ORIGIN, "--private", LINES, "--private-in-bucket"], False),
    ],
    "wrong": [
        (["revoke", LINES, "--log", "log", "--reason", "why"], False),
        (["revoke", "--identity", LINES, "--log", "log", "--reason", "why"], True),
        ([LINES], True),
        (["info"], False),
        (["get", "hostile", LINES], True),
        (["search", "hostile", "--name", LINES], True),
        (["search", "hostile", "--kind", LINES], True),
        *((["search", "hostile", option, LINES], True) for option in ("--identity", "--issuer", "--subject")),
        (["search", "hostile", "--key", LINES], False),
        (["search", "hostile", "--name", "a", "--index", LINES], False),
        (["search", "hostile", "--name", "a", "--index", "hostile", "--index-key", LINES], False),
        (["search", "hostile", "--name", LINES, "--prove", NEW], True),
        (["verify", "--search-proof", NEW, "--vkey", VKEY], True),
        (["info", "hostile", f"--{LINES}"], True),
        (["info", f"https://127.0.0.1:1/{LINES}"], False),
        (["info", f"{LINES}://somewhere"], False),
        (["status", NONE], True),
        (["sequence", NONE], True),
        (["refresh", NONE], True),
        (["gc", NONE], True),
        (["freeze", NONE, "--yes"], True),
        (["admission", NONE], True),
        (["admission", NONE, "--set", LINES], True),
        (["key", "add", NONE], True),
        (["key", "retire", NONE, LINES], False),
        (["completion", LINES], True),
    ],
}


def test_every_command_is_called() -> None:
    """The table above has each command."""
    called = {str(words[0]) for calls in CALLS.values() for words, _ in calls}
    assert set(COMMANDS) <= called


@pytest.fixture
def hostile(tiletree: Command) -> Command:
    """Return the command in a directory with hostile logs and files."""
    write_hostile_log(Path("hostile"))
    write_hostile_log(Path("other"), 4, tag="other")
    write_hostile_log(Path("damaged"))
    Path("damaged/tile/0/000.p/3").write_bytes(LINES.encode() * 3)
    write_hostile_log(Path("garbage"))
    Path("garbage/checkpoint").write_text(f"{LINES}\n\n\u2014 {LINES}\n")
    write_hostile_log(Path("missing"))
    Path("missing/checkpoint").unlink()
    Path("policy").write_text(hostile_policy())
    Path(FILE).write_text(LINES)
    write_bundle("bundle", LINES.encode(), statement=LINES)
    Path("gate").write_text("* key s.pub\n")
    escaped = FILE.replace("\r", "\\r").replace("\n", "\\n")
    Path("list").write_bytes(f"\\{'0' * 64}  {escaped}\n".encode())
    Path(FOLDER).mkdir()
    for name in (FILE, f".{FILE}", f"{FILE}.asc"):
        Path(FOLDER, name).write_text(name)
    Path("one").write_text("a key s.pub\n")
    Path("entry").write_bytes(f"entry {LINES} 0 ".encode())
    write_signatures(b"")
    key, signature = minisign_files(LINES.encode(), "".join(one for one in LINES if one >= " " and one != "\x7f"))
    Path("m.pub").write_bytes(key)
    Path("m").write_bytes(signature)
    return tiletree


@pytest.mark.parametrize("calls", CALLS)
def test_no_text_harms_a_terminal(hostile: Command, calls: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of keys and files, paths, entries and what errors quote are printed escaped, each in its line."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")  # what is coloured, and that nothing of others is: test_terminal
    for words, shows in CALLS[calls]:
        if words[:2] == ["sequence", LOG]:
            Path(f"{LOG}.private/inbox/eve {LINES}").mkdir(parents=True)
            Path(f"{LOG}.private/inbox/eve {LINES}/submission").write_text(LINES)
        fork = next(Path("home/XDG_STATE_HOME/tiletree").glob("forks/*"), None)
        called = [fork if word == "FORK" else word for word in words]
        done = hostile(*called)
        out = done.out.replace("\nFORGED", "") if words[0] == "get" else done.out  # an entry may have lines
        assert harm(out) + harm(done.err) == [], called
        assert ESCAPED in done.out + done.err or not shows, (called, done)
        assert harm(hostile(*called, "--json").out) == [], called


def test_a_pipe_gets_the_bytes(hostile: Command) -> None:
    """An entry and a proof are what they are, wherever they are not shown on a terminal."""
    assert hostile("get", "hostile", 0, "--vkey", VKEY).out.encode() == Path("entry").read_bytes()
    proof = hostile("prove", "hostile", "--index", 0, "--vkey", VKEY)
    hostile("prove", "hostile", "--index", 0, "--vkey", VKEY, "-o", "proof")
    assert proof.out.encode() == Path("proof").read_bytes()
    assert HOSTILE_LOG.name in proof.out


def test_there_is_one_exit() -> None:
    """Commands print through `Output` alone."""
    commands = Path(tiletree.commands.__path__[0])
    for path in commands.glob("*.py"):
        called = {
            ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.Call)
        }
        assert not called & {"click.echo", "click.secho", "print", "sys.stdout.write", "sys.stderr.write"}, path.name
