"""A quorum on the page: three witnesses of our own, judged offline, and every policy in words."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.browser import Chromium, check_accessible, site
from tests.support.command_line import Command
from tests.support.opened_offline import dropped, judge_offline, opened_offline
from tests.support.signed_text import LOG
from tests.support.web_server import PAGE
from tiles.notes.checkpoint import with_signatures
from tiles.notes.tlog_proof import parse_tlog_proof

pytest_plugins = ["tests.support.browser_fixture"]

FILE = ("hello.txt", b"hello, witnesses\n")
KINDS = {"one": "ed25519", "two": "ed25519", "static": "ml-dsa-44"}


@contextmanager
def serving(config: str) -> Iterator[str]:
    """Run `witness serve`, and give its address."""
    words = [sys.executable, "-m", "tiletree", "witness", "serve", config, "--listen", "127.0.0.1:0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        try:
            assert server.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:\d+", server.stdout.readline())
            assert found is not None
            yield found[0]
        finally:
            server.terminate()


def cosigned_log(tiletree: Command) -> bytes:
    """Make a log with a 2-of-3 quorum, add a file, let all three witnesses cosign, and prove it; return the policy."""
    Path("k").write_text(f"{LOG.skey}\n")
    Path("k").chmod(0o600)
    vkeys = {}
    for name, kind in KINDS.items():
        init = ("witness", "init", f"{name}.conf", "--name", f"{name}.example.com", "--state", f"seen-{name}")
        vkeys[name] = tiletree.ok(*init, "--kind", kind)["vkeys"][0]
        tiletree.ok("witness", "begin", f"{name}.conf", "log", "--vkey", LOG.verifier.vkey)
    with serving("one.conf") as one, serving("two.conf") as two:
        places = {"one": one, "two": two, "static": Path("seen-static").absolute()}
        lines = [f"witness {name} {vkey} {places[name]}" for name, vkey in vkeys.items()]
        policy = [f"log {LOG.verifier.vkey}", *lines, "group three 2 one two static", "quorum three", ""]
        Path("policy").write_text("\n".join(policy))
        tiletree.ok("init", "log", "--origin", LOG.name, "--key", "k", "--policy", "policy")
        Path(FILE[0]).write_bytes(FILE[1])
        tiletree.ok("add", "log", FILE[0], "--key", "k")
        tiletree.ok("witness", "run", "static.conf")
        tiletree.ok("refresh", "log", "--key", "k")
    tiletree.ok("prove", "log", FILE[0], "-o", "p", "--policy", "policy")
    return Path("policy").read_bytes()


def without(proof: bytes, *names: str) -> bytes:
    """Return a proof without the cosignatures of these witnesses."""
    found = parse_tlog_proof(proof)
    lines = [line for line in found.checkpoint.note.signatures if line.name.split(".")[0] not in names]
    checkpoint = with_signatures(found.checkpoint.checkpoint, lines).data
    return proof.removesuffix(found.checkpoint.data) + checkpoint


def test_three_witnesses_offline(chromium: Chromium, tiletree: Command, tmp_path: Path) -> None:
    """verify.html is green with two of three, and names who counted; with one of three it refuses, in words."""
    policy = cosigned_log(tiletree)
    proof = Path("p").read_bytes()
    judge_offline(chromium, tmp_path, policy, FILE, proof, "one, two, static")
    with opened_offline(chromium, tmp_path, policy) as page:
        assert "Witnesses that have to confirm it: 2 of one, two, static." in page.inner_text("#head")
        state, words = dropped(page, FILE, ("a.tlog-proof", without(proof, "two")))
        assert state == "verified"
        assert "Independent witnesses have confirmed it: one, static. Not needed are: two." in words
        check_accessible(page)
        state, words = dropped(page, FILE, ("a.tlog-proof", without(proof, "one", "two")))
        assert state == "quorum"
        assert "Too few witnesses: 1 of 3" in words
        assert "2 of one, two, static; static has cosigned; one more of one, two" in words
        check_accessible(page)
    done = tiletree("verify", FILE[0], "--proof", "p", "--policy", "policy", "--json")
    assert (done.code, len(done.json["cosigned_by"])) == (0, 3)
    public = {
        path.relative_to("log").as_posix(): path.read_bytes() for path in Path("log").rglob("*") if path.is_file()
    }
    with site(chromium, {**public, **PAGE}) as one:
        one.open()
        assert one.said("#head")[1] == "Signed by the log and 3 of 3 witnesses: 1 entries"
        one.drop(FILE)
        assert "Independent witnesses have confirmed it: one, two, static." in one.said(state="verified")[2]
        one.page.click("#keys > summary")
        one.page.wait_for_selector("#keys li li:has-text('static has cosigned')")
        assert "Group “three”: 2 of one, two, static; one, two and static have cosigned" in one.page.inner_text("#keys")
        check_accessible(one.page)
