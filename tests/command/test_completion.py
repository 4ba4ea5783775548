"""`tiletree completion`: shells that really run complete commands, options, choices, files and directories."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from tests.support.command_line import Command
from tests.support.make_cli_docs import contexts
from tests.support.terminal import screen
from tiletree.cli import COMMANDS, GROUPS
from tiletree.commands.completion import KINDS
from tiletree.completing import named

# what is typed, and words that have to be among the answers, and words that may not be
CASES: list[tuple[str, set[str], set[str]]] = [
    ("tiletree verif", {"verify"}, {"add"}),
    ("tiletree key gen", {"generate"}, {"add"}),
    ("tiletree audit --jo", {"--jobs"}, {"--json"}),
    ("tiletree completion f", {"fish"}, {"bash"}),
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
FISH = """\
tiletree completion fish | source
while read -l line
    complete -C "$line" | string replace -r '\\t.*' '' | string trim -r -c / | string join ' '
    or echo
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


def in_bash(typed: list[str]) -> list[set[str]]:
    """Return what bash offers: the function that it registers is called, and what that leaves to bash is done."""
    command = [needs("bash"), "--norc", "-c", BASH]
    done = subprocess.run(command, input="\n".join(typed) + "\n", capture_output=True, text=True, check=True)
    return [set(line.split()) for line in done.stdout.splitlines()]


def in_fish(typed: list[str]) -> list[set[str]]:
    """Return what fish offers."""
    command = [needs("fish"), "--no-config", "-c", FISH]
    done = subprocess.run(command, input="\n".join(typed) + "\n", capture_output=True, text=True, check=True)
    return [set(line.split()) for line in done.stdout.splitlines()]


def check(answers: list[set[str]]) -> None:
    """Check what a shell offers for each case."""
    assert len(answers) == len(CASES)
    for (typed, wanted, unwanted), offered in zip(CASES, answers, strict=True):
        assert wanted <= offered, (typed, offered)
        assert not unwanted & offered, (typed, offered)


@pytest.mark.parametrize(("shell", "offers"), [("bash", in_bash), ("fish", in_fish)])
def test_in_a_shell(places: Path, shell: str, offers: Callable[[list[str]], list[set[str]]]) -> None:
    """Commands and those below them, options, choices; a LOG is a directory, a FILE or KEY any file."""
    check(offers([typed for typed, _, _ in CASES]))
