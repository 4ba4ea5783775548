"""The command line as a whole: exit codes, JSON and help of every command; never a traceback."""

from __future__ import annotations

import errno
import re
from pathlib import Path

import click
import pytest

from tests.support.command_line import ORIGIN, Command
from tests.support.fault_server import body, serving, status
from tests.support.readers import make_log
from tests.support.signed_text import LOG
from tiletree import ui
from tiletree.cli import cli, run


def test_wrong_calls_exit_2(tiletree: Command, log: str) -> None:
    """Missing files, keys that are none, nothing to trust, unknown options: exit code 2, in JSON as well."""
    for arguments in (
        ("verify", "missing", "--proof", "p", "--vkey", log),
        ("verify", "a", "--proof", "missing", "--vkey", log),
        ("verify", "a", "--proof", "p", "--vkey", "nonsense"),
        ("verify", "a", "--proof", "p", "--policy", "missing"),
        ("verify", "a", "--proof", "p"),
        ("verify",),
        ("verify", "a", "--search-proof", "p", "--vkey", log),
        ("verify", "a", "b", "--proof", "p", "--vkey", log),
        ("verify", "sha256:abc", "--proof", "p", "--vkey", log),
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


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ad", "log"), "No such command 'ad'; did you mean add?"),
        (("nonsense",), "No such command 'nonsense'"),
        (("completion",), "Missing argument '{bash|zsh|fish}'. Choose from: bash, zsh, fish"),
        (("info", "log", "--vkey", "a+b+c\nd+e+f"), "--vkey: this is 2 words, and a vkey is one"),
        (("status", "nowhere"), "there is no log at nowhere"),
        (("serve", "nowhere"), "there is no log at nowhere"),
        (("page", "nowhere"), "there is no log at nowhere"),
        (("gc", "nowhere"), "there is no log at nowhere"),
        (("admission", "nowhere"), "there is no log at nowhere"),
        (("add", "new", "log"), "new is no log, and log is one"),
    ],
)
def test_how_mistakes_are_named(tiletree: Command, log: str, words: tuple[str, ...], said: str) -> None:
    """What was mistyped, mistaken or put in the wrong order is said in one line, as a person would."""
    assert log
    Path("new").mkdir()
    assert tiletree(*words).err.splitlines()[0] == f"tiletree: {said}"


def test_where_a_log_was_looked_for(tiletree: Command) -> None:
    """A name that leads nowhere may be mistyped: the hint says from where it was looked for, before it says `init`."""
    hint = tiletree("add", "lgo", "f").err.splitlines()[1]
    assert hint == f"hint: looked for from {Path.cwd()}; if the name is right, `tiletree init` begins one"
    elsewhere = Path.cwd() / "lgo"
    assert tiletree("add", elsewhere, "f").err.endswith("hint: if the name is right, `tiletree init` begins one\n")


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


def test_hostile_entries_are_shown_harmless(tiletree: Command, log: str) -> None:
    """What is printed for a person cannot move the cursor; what is written to a pipe is the bytes."""
    name = "\x1b[31mred\r"
    Path(name).write_bytes(b"x")
    done = tiletree("add", "log", name, "--key", "k")
    assert "\x1b" not in done.out
    assert "\\x1b[31mred\\r" in done.out


def commands(group: click.Group, prefix: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    """Return every command, those of subgroups included."""
    found: list[tuple[tuple[str, ...], click.Command]] = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
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
    """`tiletree --help` documents every exit code that there is; without a command it is a wrong call."""
    listed = tiletree("--help").out.partition("exit codes\n")[2]
    codes = {value for name, value in vars(ui).items() if name.startswith("EXIT_")}
    assert len(codes) >= 10
    assert codes <= {int(line.split()[0]) for line in listed.splitlines() if line.strip()}
    assert tiletree("--version").out.startswith("tiletree, version ")
    assert tiletree().code == 2


def test_what_nobody_expected_is_our_own_fault(
    tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 70, the exception's type and place, nothing of what it says; a traceback for who asks for it."""

    def broken(*_given: object, **_options: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("tiles.read.client.LogClient.visit", broken)
    for json in ([], ["--json"]):
        done = tiletree("info", "log", "--vkey", log, *json)
        assert done.code == 70
        assert re.search(r"^tiletree: .*fault.*: RuntimeError at tiletree/opening\.py:[0-9]+$", done.err, re.MULTILINE)
        assert "report" in done.err
        assert "secret" not in done.out + done.err
        assert not json or done.json["error"]["kind"] == "Unexpected"
    monkeypatch.setenv("TILETREE_TRACEBACK", "1")
    assert run(["info", "log", "--vkey", log]) == 70
    assert "RuntimeError: secret" in capsys.readouterr().err


def test_whatever_it_is_that_nobody_expected(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any kind of exception, from any command, is such a document."""
    for kind in (RuntimeError, OverflowError, RecursionError, UnicodeError, AssertionError, KeyError):
        for words in (["add", "log", "a"], ["sequence", "log"], ["freeze", "log", "--yes"], ["status", "log"]):

            def broken(*_given: object, kind: type[Exception] = kind) -> None:
                raise kind("secret")

            monkeypatch.setattr("tiletree.opening.private_store", broken)
            monkeypatch.setattr("tiletree.commands.status.private_store", broken)
            done = tiletree(*words, "--key", "k", "--json")
            assert (done.code, done.json["error"]["kind"]) == (70, "Unexpected")
            assert kind.__name__ in done.json["error"]["message"]


@pytest.mark.parametrize(
    "value", ["9" * 5000, "Wed, 21 Oct 99999999999999999999 07:28:00 GMT", "Wed, 21 Oct 2015 07:28:00 +9999999", "\xb2"]
)
def test_odd_headers_of_a_server(tiletree: Command, value: str) -> None:
    """A date or a number that no calendar has is waited for as long as any other; it is no traceback."""
    with serving(make_log(3)) as server:
        server.script["/checkpoint"] = [status(503, Retry_After=value), body(server.objects["checkpoint"])]
        done = tiletree("info", server.url, "--vkey", LOG.verifier.vkey)
    assert done.code == 0, done


def test_a_question_that_is_not_answered(tiletree: Command, log: str) -> None:
    """Without a yes nothing is done, which is said; the question is not part of the JSON document."""
    for stdin in (b"", b"n\n"):
        done = tiletree("freeze", "log", "--key", "k", "--json", stdin=stdin)
        assert done.code == 130
        assert done.json["error"]["message"] == "not confirmed; nothing was done"
        assert done.json["error"]["kind"] == "NotConfirmed"
        assert "interrupted" not in done.err
        assert "Freeze it? [y/N]" in done.err
    assert tiletree("freeze", "log", "--key", "k", stdin=b"y\n").code == 0


def test_another_broken_pipe(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that breaks is the way to the log, not the log: exit code 3."""

    def broken(*_given: object) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr("tiletree.opening.private_store", broken)
    done = tiletree("add", "log", "a", "--key", "k", "--json")
    assert (done.code, done.json["error"]["kind"]) == (3, "AccessError")


def test_completion_in_a_shell(tiletree: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a shell asks for to complete a command is answered."""
    monkeypatch.setenv("_TILETREE_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "tiletree fr")
    monkeypatch.setenv("COMP_CWORD", "1")
    with pytest.raises(SystemExit) as ended:
        tiletree()
    assert ended.value.code == 0
