"""One call of every command, for the log of `every_command_fixtures`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.support.command_line import ORIGIN

Case = TypeVar("Case")


@dataclass(frozen=True)
class Call:
    """A call of a command, and what it comes to where all streams are sound.

    stdin         what it reads from standard input; None: it does not read
    unread        its exit code where it can read nothing
    answers       standard output is what was asked for
    prints        something, to standard output
    size          of the log afterwards
    interrupted   seconds after which it is, because it never ends
    """

    words: str
    code: int = 0
    stdin: bytes | None = None
    unread: int = 3
    answers: bool = False
    prints: bool = True
    size: int = 2
    interrupted: float = 0.0


CALLS = {
    "init": Call("init new --origin new.example.com --key n"),
    "init --post-quantum": Call("init new --origin new.example.com --post-quantum --key n"),
    "add": Call("add log c --key k", size=3),
    "add --name": Call("add log c --name --key k", size=3),
    "add --proofs": Call("add log c --proofs --key k", size=3),
    "add --dry-run": Call("add log c --dry-run", answers=True),
    "add --blind": Call("add log c --blind --key k", size=3),
    "add -": Call("add log - --key k", stdin=b"content", size=3),
    "add --stdin-lines": Call("add log --stdin-lines --key k", stdin=b"1\n2\n", size=4),
    "submit": Call("submit log c --submitter ann"),
    "submit -": Call("submit log - --submitter ann", stdin=b"content"),
    "submit --wait": Call("submit log c --submitter ann --wait --timeout 0", 8),
    "submit --payload": Call("submit log c --payload --submitter ann"),
    "submit --bundle": Call("submit log --bundle unlogged --public-key sk.pub --submitter ann"),
    "sequence": Call("sequence log --key k", size=3),
    "sequence --only commit": Call("sequence log --key k --only commit"),
    "sequence --only publish": Call("sequence log --key k --only publish"),
    "sequence --watch": Call("sequence log --key k --watch 9", size=3, interrupted=0.3),
    "info": Call("info log", answers=True),
    "info --at": Call("info log --at 2026-01-01", 3, prints=False),
    "info --compare": Call("info log --compare log", answers=True),
    "loginfo": Call("loginfo log", answers=True),
    "logproof": Call("logproof log", answers=True),
    "status": Call("status log --key k", answers=True),
    "status --without-key": Call("status log --key k --without-key", answers=True),
    "status --metrics": Call("status log --key k --metrics", answers=True),
    "cost": Call("cost --entries-per-day 1000", answers=True),
    "get": Call("get log 0", answers=True),
    "get --when": Call("get log 0 --when", answers=True),
    "get -o": Call("get log 0 -o made", prints=False),
    "get FILE": Call("get log a", answers=True),
    "get --uuid": Call("get log --uuid 22ba578b2696869bc5ac25b44dd0e7d75cdd9c03e16f34f56966274257cf369d", answers=True),
    "search": Call("search log a", answers=True),
    "search -": Call("search log -", stdin=b"content of a\n", answers=True),
    "search --prove": Call("search log a --prove made", answers=True),
    "prove": Call("prove log --index 0", answers=True),
    "prove -": Call("prove log -", stdin=b"content of a\n", answers=True),
    "prove -o": Call("prove log --index 0 -o made"),
    "prove --all": Call("prove log --all --out-dir made"),
    "prove FILES": Call("prove log a b --out-dir made"),
    "revoke": Call("revoke a --log log --reason why --log-key k", size=3),
    "sign": Call("sign a --log log --key sk --log-key k", size=3),
    "sign -": Call("sign - -o made --log log --key sk --log-key k", stdin=b"content", size=3),
    "attest": Call("attest a --predicate json --type cyclonedx --log log --key sk --log-key k", size=3),
    "upload": Call("upload --artifact a --signature signature --key sk.pub --log log --log-key k", size=3),
    "upload --pki-format": Call(
        "upload --artifact test --signature ssh.sig --key ssh.pub --log log --log-key k -o made", size=3
    ),
    "staple": Call("staple unlogged --key sk.pub --log log --log-key k", size=3),
    "trust-root": Call("trust-root log --out made"),
    "verify": Call("verify a --proof p --vkey VKEY"),
    "policy check": Call("policy check policy", answers=True),
    "policy check LOG": Call("policy check policy log", answers=True),
    "verify --log": Call("verify a --proof p --vkey VKEY --log log"),
    "verify -": Call("verify - --proof p --vkey VKEY", stdin=b"content of a\n"),
    "verify --bundle": Call("verify a --bundle bundle --trusted-root root.json --key s.pub"),
    "verify --checksums": Call("verify --checksums list --vkey VKEY"),
    "verify --require": Call("verify a --bundle bundle --trusted-root root.json --require gate"),
    "verify --signature": Call("verify test --signature ssh.sig --key ssh.pub"),
    "audit": Call("audit log"),
    "monitor": Call("monitor log --state made --begin first --all"),
    "monitor --endorsed": Call("monitor log --state made --begin first --endorsed VKEY"),
    "monitor --interval": Call("monitor log --state made --begin first --interval 9", interrupted=0.3),
    "refresh": Call("refresh log --key k"),
    "import": Call("import log other --key o"),
    "mirror": Call("mirror log copy"),
    "mirror --cosign": Call("mirror log copy --vkey VKEY --cosign cosigner --begin"),
    "info --mirror": Call("info log --mirror other", answers=True),
    "move": Call("move log there --key k"),
    "repair": Call("repair log"),
    "index build": Call("index build log --key k"),
    "index build DST": Call("index build log other-index --key o"),
    "index check": Call("index check log", 3, prints=False),
    "index stop": Call("index stop log"),
    "gc": Call("gc log"),
    "page": Call("page log"),
    "serve": Call("serve log --port 0", interrupted=0.3),
    "shim": Call("shim log --key k", interrupted=0.3),
    "shim --submit": Call("shim log --submit --submitter ann", interrupted=0.3),
    "witness init": Call("witness init w --name w.example.com --state seen"),
    "witness begin": Call("witness begin w.conf log --vkey VKEY"),
    "witness run": Call("witness run w.conf"),
    "witness serve": Call("witness serve w.conf --listen 127.0.0.1:0", interrupted=0.3),
    "admission": Call("admission log", answers=True),
    "admission --set": Call("admission log --set admission --yes --key k"),
    "endorse": Call("endorse other --in log --log-key k", size=3),
    "endorse --submit": Call("endorse other --in log --submit --submitter ann --timeout 0", 8, prints=False),
    "endorse --out": Call("endorse other --out made"),
    "endorse --check": Call("endorse other --in log --check"),
    "prove --through": Call(
        "prove log --index 0 --through log.example.com --public-vkey VKEY --output never", 8, prints=False
    ),
    "disclose": Call("disclose log 0 --through log.example.com --public-vkey VKEY --output never", 8, prints=False),
    "withhold": Call("withhold log 0 --reason why --key k"),
    "freeze": Call("freeze log --yes --key k"),
    "freeze?": Call("freeze log --key k", stdin=b"y\n", unread=130),
    "key generate": Call("key generate x.example.com --out x"),
    "key generate --cosigner": Call("key generate m.example.com --cosigner --out x"),
    "key generate --signing": Call("key generate --signing --out x"),
    "key show": Call("key show k", answers=True),
    "key show LOG": Call("key show log --key k", answers=True),
    "key trust": Call("key trust log VKEY"),
    "key forget": Call("key forget log"),
    "key list": Call("key list", answers=True),
    "key adopt": Call("key adopt log --key k"),
    "key add": Call("key add log --key k"),
    "key add --post-quantum": Call("key add log --post-quantum --key k"),
    "key retire": Call("key retire log VKEY --key k", 4, prints=False),
    "completion": Call("completion bash", answers=True),
    "not verified": Call("verify b --proof p --vkey VKEY", 1, prints=False),
    "wrong call": Call("add log --key k", 2, prints=False),
    "no log": Call("info nowhere", 3, prints=False),
    "refused": Call(f"init log --origin {ORIGIN} --key n", 4, prints=False),
    "not logged": Call("prove log c", 8, prints=False),
    "help": Call("add --help", answers=True),
    "version": Call("--version", answers=True),
}
SIGHTS = {"help", "version"}  # of no command that has --json


def again(directory: Path, cases: Iterable[Case]) -> Iterator[Case]:
    """Yield each case in a directory that is as it is now."""
    before = directory.with_name(f"{directory.name}-before")
    shutil.copytree(directory, before)
    for case in cases:
        shutil.rmtree(directory)
        shutil.copytree(before, directory)
        os.chdir(directory)
        yield case
