"""How much a command says, and in which form: the options that stand before and after every command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest

from tests.support.command_line import Command
from tests.support.make_cli_docs import contexts
from tiletree.environment import VARIABLES


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
