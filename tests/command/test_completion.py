"""`tiletree completion`: shells that really run complete commands, options, choices, files and directories."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.support.command_line import Command
from tests.support.make_cli_docs import contexts
from tiletree.cli import COMMANDS, GROUPS
from tiletree.commands.completion import KINDS
from tiletree.completing import named

# what is typed, and words that have to be among the answers, and words that may not be
CASES: list[tuple[str, set[str], set[str]]] = [
    ("tiletree key gen", {"generate"}, {"add"}),
    ("tiletree audit --jo", {"--jobs"}, {"--json"}),
    ("tiletree audit a", {"a-log"}, {"a-file", "add"}),
    ("tiletree add a-log a", {"a-log", "a-file"}, {"add"}),
    ("tiletree add a-log a-file --key a", {"a-file"}, {"add"}),
]

BASH = """\
eval "$(tiletree completion bash)"
while IFS= read -r line; do
    read -ra COMP_WORDS <<< "$line"
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=() found=
    compopt() { found="$2"; }
    _tiletree_completion tiletree
    case $found in
        dirnames) mapfile -t COMPREPLY < <(compgen -d -- "${COMP_WORDS[COMP_CWORD]}") ;;
        default) mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}") ;;
    esac
    echo "${COMPREPLY[*]}"
done
"""
ZSH = """\
compdef() { : }
eval "$(tiletree completion zsh)"
_path_files() { found=$1 }
_describe() { offered+=(${completions_with_descriptions%%:*}) }
compadd() { offered+=($completions) }
while IFS= read -r line; do
    words=(${=line}) CURRENT=${#words} offered=() found=
    _tiletree_completion
    case $found in
        -/) offered+=($words[-1]*(N-/)) ;;
        -f) offered+=($words[-1]*(N)) ;;
    esac
    print -r -- $offered
done
"""
FISH = """\
tiletree completion fish | source
while read -l line
    set -l found (complete -C "$line" | string replace -r '\\t.*' '' | string trim -r -c /)
    echo $found
end
"""


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory with a file and a log, at work in it, where `tiletree` is a program."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "tiletree"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tiletree "$@"\n')
    program.chmod(0o755)
    (tmp_path / "a-log").mkdir()
    (tmp_path / "a-file").write_bytes(b"")
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def needs(shell: str) -> str:
    """Return where a shell is; skip the test where it is not installed."""
    if (found := shutil.which(shell)) is None:
        pytest.skip(f"NOT TESTED in {shell}: it is not installed")
    return found


def check(answers: list[set[str]]) -> None:
    """Check what a shell offers for each case."""
    assert len(answers) == len(CASES)
    for (typed, wanted, unwanted), offered in zip(CASES, answers, strict=True):
        assert wanted <= offered, (typed, offered)
        assert not unwanted & offered, (typed, offered)


# The function that bash and zsh register is called as they call it; what only a line editor does is done by the script.
@pytest.mark.parametrize(
    ("shell", "options", "script"),
    [
        ("bash", ["--norc"], BASH),
        pytest.param("zsh", ["-f"], ZSH, marks=pytest.mark.slow),
        pytest.param("fish", ["--no-config"], FISH, marks=pytest.mark.slow),
    ],
)
def test_in_a_shell(places: Path, shell: str, options: list[str], script: str) -> None:
    """Commands and those below them, options, choices; a LOG is a directory, a FILE or KEY any file."""
    typed = "".join(f"{line}\n" for line, _, _ in CASES)
    command = [needs(shell), *options, "-c", script]
    done = subprocess.run(command, input=typed, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    check([set(line.split()) for line in done.stdout.splitlines()])


@pytest.mark.parametrize("shell", KINDS)
def test_the_document_has_the_script(tiletree: Command, shell: str) -> None:
    """With --json, too; the script is printed as it is."""
    document = tiletree.ok("completion", shell)
    assert document == {"shell": shell, "script": tiletree("completion", shell).out}
    assert f"_TILETREE_COMPLETE={shell}_complete" in document["script"]
    assert set(KINDS) == {"bash", "zsh", "fish"}


@pytest.mark.parametrize(
    ("words", "has_options"),
    [("tiletree\nver", False), ("tiletree\nverify\n--pro", True)],
)
def test_completion_imports_little(words: str, has_options: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of commands are known without their modules; options need the one command, and neither network nor keys."""
    monkeypatch.setenv("_TILETREE_COMPLETE", "zsh_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(words.count("\n")))
    code = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); import tiletree.__main__"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(done.stderr.split())
    commands = {name for name in modules if name.startswith("tiletree.commands.")}
    assert bool(commands) == has_options
    assert all(name.startswith("tiletree.commands.verify") for name in commands)
    assert not modules & {"urllib3", "ssl", "asyncio", "tiles.log", "tiles.read.client"}
    assert ("--proof" if has_options else "verify") in done.stdout.split()


def test_each_place_is_completed() -> None:
    """What the library's commands call a log, a file or a folder is completed as one, under whatever name it stands."""
    plain: set[str] = set()
    for context in contexts():
        for param in context.command.params:
            if not isinstance(param.type, (click.Choice, click.Path)) and not named(param) and param.metavar:
                plain.add(param.metavar.strip("[]."))
    words = {one for word in plain for one in word.split("|")}
    assert not words & {"LOG", "FILE", "DIR", "KEY", "PLACE", "SRC", "DST", "MIRROR", "PUBLIC"}
    assert {"VKEY", "TEXT", "HEX"} <= plain


def test_groups_have_each_command_once() -> None:
    """And each command has a module."""
    every = [name for names in GROUPS.values() for name in names]
    assert sorted(every) == sorted(COMMANDS)
    assert len(every) == len(set(every))
    assert {context.command_path.split()[1] for context in contexts() if context.parent} == set(COMMANDS)


def test_help_has_the_groups(tiletree: Command) -> None:
    """In their order, each command below its group, all in one column."""
    shown = tiletree("--help").out
    places = [shown.index(f"\n{group[0].upper()}{group[1:]}:\n") for group in GROUPS]
    assert places == sorted(places)
    for (_, names), text in zip(GROUPS.items(), (shown[at:] for at in places), strict=True):
        lines = text.strip().partition("\n\n")[0].splitlines()[1:]
        assert [line.split()[0] for line in lines if line[2] != " "] == list(names)
    rows = [re.search(rf"^  {name} +(?=\S)", shown, re.MULTILINE) for name in COMMANDS]
    assert len({len(row[0]) for row in rows if row}) == 1
