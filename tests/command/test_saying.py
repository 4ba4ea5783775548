"""How much a command says, and in which form: the options that stand before and after every command."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import click
import pytest

from tests.support.command_line import Command
from tests.support.fault_server import serving
from tests.support.make_cli_docs import contexts
from tiletree.environment import VARIABLES
from tiletree.traffic import Traffic
from tiletree.ui import Output


def logged(text: str) -> list[dict[str, Any]]:
    """Return the lines of a structured log; fails for anything else."""
    lines = [json.loads(line) for line in text.splitlines()]
    assert all({"time", "level", "event"} <= set(line) for line in lines)
    return lines


def test_every_command_has_the_options() -> None:
    """Those below `key` and `index` too, each once; only `tiletree --help` lists them."""
    for context in contexts():
        named = [name for param in context.command.params for name in param.opts]
        assert len(named) == len(set(named))
        assert {"--verbose", "--quiet", "--log-format", "--color"} <= set(named), context.command_path
        listed = [param for param in context.command.params if isinstance(param, click.Option) and not param.hidden]
        assert any("--quiet" in param.opts for param in listed) == (context.parent is None)


def test_quiet(tiletree: Command, log: str) -> None:
    """No report where all went well; what was asked for, warnings and failures are there all the same."""
    Path("c").write_bytes(b"c")
    assert tiletree("add", "log", "c", "--key", "k", "--quiet").out == ""
    assert tiletree("-q", "verify", "a", "--proof", "p", "--vkey", log).out == ""
    assert tiletree("key", "show", "k", "-q").out == f"{log}\n"
    assert tiletree("info", "log", "--quiet").out.startswith("origin ")
    assert "first use" in tiletree("info", "log", "--quiet").err
    assert tiletree("add", "log", "c", "--key", "k", "-q", "--json").json["origin"]
    Path("log/tile/entries/000.p/3").write_bytes(b"")
    failed = tiletree("audit", "log", "--quiet", "--vkey", log)
    assert (failed.code, failed.out) == (1, tiletree("audit", "log", "--vkey", log).out)
    assert "tile/entries" in failed.out


CALLS = [
    ("info log", 0, ["remark", "ended"]),
    ("info nowhere", 3, ["failed", "ended"]),
    ("add log nothing --key k", 2, ["failed", "ended"]),
    ("add log --nonsense", 2, ["failed", "ended"]),
    ("", 2, ["failed", "ended"]),
    ("status log --key k --max-age 1", 0, ["ended"]),
    ("sequence log --key k", 0, ["run", "ended"]),
]


def test_each_line_is_a_document(tiletree: Command, log: str) -> None:
    """Also where click finds the call wrong, before a command has begun; a run says its numbers."""
    for words, code, events in CALLS:
        for call in ([*words.split(), "--log-format", "json"], ["--log-format=json", *words.split()]):
            done = tiletree(*call)
            lines = logged(done.err)
            assert (done.code, [line["event"] for line in lines], lines[-1]["code"]) == (code, events, code)
    Path("c").write_bytes(b"c")
    tiletree.ok("submit", "log", "c", "--submitter", "ann")
    run, _ = logged(tiletree("sequence", "log", "--key", "k", "--log-format", "json").err)
    assert (run["entries"], run["submissions"], run["size"], run["outcome"]) == (1, 1, 3, "done")
    assert run["publish_latency_seconds"] >= 0
    Path("log/checkpoint").unlink()
    run, failed, _ = logged(tiletree("sequence", "log", "--key", "k", "--log-format", "json").err)
    assert (run["level"], run["outcome"], failed["kind"]) == ("error", "Refused", "Refused")


def test_verbose(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says which variables are used, which an option goes before, and where the parts of the log are."""
    for name in VARIABLES:
        if not name.startswith("XDG"):
            monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TILETREE_KEY", "k")
    monkeypatch.setenv("TILETREE_PRIVATE", "s3://me:s3cr3t@bucket/log?token=s3cr3t")
    monkeypatch.setenv("TILETREE_LOG", "https://me:s3cr3t@example.com/log")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t")
    done = tiletree("status", "log", "--private", "log.private", "-v")
    said = done.err.splitlines()
    assert done.code == 0
    assert "s3cr3t" not in done.err
    assert "$TILETREE_KEY is k, and is used as --key" in said
    assert "$TILETREE_PRIVATE is s3://bucket/log, and is not used, because the call has --private" in said
    assert "$AWS_SECRET_ACCESS_KEY is set" in said
    assert "private part: log.private, as named" in said
    assert any(line.startswith("exit code 0 after ") for line in said)
    monkeypatch.setenv("TILETREE_KEY", Path("k").read_text().strip())
    wrong = tiletree("-v", "status", "log", "--private", "log.private")
    assert wrong.code != 0
    assert Path("k").read_text().strip()[-20:] not in wrong.err + wrong.out
    assert "environment" not in {line["event"] for line in logged(tiletree("info", "log", "--log-format=json").err)}


def test_whom_to_trust_from_the_environment(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key or a policy; what the call names goes before both, and two in the environment are one too many."""
    other = tiletree.ok("key", "generate", "log.example.com", "--out", "other")["vkey"]
    Path("policy").write_text(f"log {log}\nquorum none\n")
    monkeypatch.setenv("TILETREE_VKEY", log)
    assert tiletree.ok("info", "log")["trust"] == "pinned"
    assert tiletree("info", "log", "--vkey", other).code == 1
    assert tiletree("index", "build", "log", "--key", "k").code == 0  # whoever has the key trusts it
    assert "root cannot be read" in tiletree("verify", "a", "--proof", "p", "--trusted-root", "root").err
    assert tiletree.ok("prove", "log", "a", "--policy", "policy")["trust"] == "pinned"
    Path("policy").write_text(f"log {other}\nquorum none\n")
    monkeypatch.setenv("TILETREE_POLICY", "policy")
    assert tiletree("info", "log").code == 2
    assert tiletree.ok("prove", "log", "a", "--vkey", log)["trust"] == "pinned"
    monkeypatch.setenv("TILETREE_VKEY", other)
    Path("right").write_text(f"log {log}\nquorum none\n")
    assert tiletree.ok("info", "log", "--policy", "right")["trust"] == "pinned"
    monkeypatch.delenv("TILETREE_POLICY")
    monkeypatch.setenv("TILETREE_VKEY", log)
    assert tiletree.ok("verify", "a", "--proof", "p")["trust"] == "pinned"


def test_verbose_says_the_traffic(tiletree: Command, log: str) -> None:
    """Each object that is read, written, listed and deleted, each HTTP request, and their sums; before and after."""
    Path("c").write_bytes(b"c")
    done = tiletree("add", "log", "c", "--key", "k", "-v")
    size = Path("log/checkpoint").stat().st_size
    assert done.code == 0
    assert re.search(r"^read checkpoint of log: \d+ bytes, [0-9.]+ ms$", done.err, re.MULTILINE)
    assert re.search(rf"^swapped checkpoint of log: {size} bytes, [0-9.]+ ms$", done.err, re.MULTILINE)
    assert re.search(r"^created tile/0/000\.p/3 of log: 96 bytes, [0-9.]+ ms$", done.err, re.MULTILINE)
    assert re.search(r"^created staging/\S+ of log\.private: \d+ bytes, [0-9.]+ ms$", done.err, re.MULTILINE)
    assert re.search(r"^deleted staging/\S+ of log\.private, [0-9.]+ ms$", done.err, re.MULTILINE)
    *lines, sums, _ = logged(tiletree("-v", "audit", "log", "--vkey", log, "--log-format", "json").err)
    read = [line for line in lines if line["event"] == "read" and "bytes" in line["message"]]
    assert (sums["event"], sums["read"], sums["written"], sums["requests"]) == ("traffic", len(read), 0, 0)
    assert sums["read_bytes"] == sum(int(line["message"].split(": ")[1].split()[0]) for line in read) > 300
    assert sums["listed"] == len([line for line in lines if line["event"] == "listed"]) > 0
    assert any("listed tile/ of log" in line["message"] for line in lines)
    files = [path for path in Path("log").rglob("*") if path.is_file()]
    objects = {path.relative_to("log").as_posix(): path.read_bytes() for path in files}
    with serving(objects) as server:
        done = tiletree("get", server.url, "0", "--vkey", log, "-v")
    assert f"GET {server.url}/checkpoint: 200, " in done.err
    asked = len([line for line in done.err.splitlines() if line.startswith("GET ")])
    assert (
        f"HTTP requests: {asked}; objects read: 0 (0 bytes), written: 0 (0 bytes), deleted: 0; listings: 0" in done.err
    )
    assert "read " not in tiletree("audit", "log", "--vkey", log).err, "only of a call that asks for it"


def test_verbose_says_what_fails(tiletree: Command, log: str) -> None:
    """An object that is not there, and a server that does not answer."""
    assert re.search(r"^read keys/0 of log: not there, ", tiletree("audit", "log", "-v").err, re.MULTILINE)
    nobody = tiletree("info", "http://127.0.0.1:9/log", "-v")
    assert nobody.code == 3
    assert re.search(r"^GET http://127\.0\.0\.1:9/log/checkpoint: failed \(\w+\), ", nobody.err, re.MULTILINE)
    assert re.search(r"^HTTP requests: [1-9]", nobody.err, re.MULTILINE)


def test_much_traffic_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """Of each kind 200 lines are said, and then that there are more."""
    out = Output()
    out.verbose = True
    traffic = Traffic(out)
    for number in range(300):
        traffic.note("read", f"read {number}", 0.0, read=1)
    traffic.note("request", "GET", 0.0, requests=1)
    lines = capsys.readouterr().err.splitlines()
    assert (len(lines), traffic.sums["read"], traffic.sums["requests"]) == (202, 300, 1)
    assert lines[200:201] == ["more such lines are left out; all are counted"]
