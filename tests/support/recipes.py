"""The recipes of docs/recipes, as tests run them: the calls of `tiletree` in their blocks of code, in this process."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

from tests.support.command_line import Command, Done

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "recipes"
_JQ = re.compile(r"""(\w+)=\$\(jq -r '\.entries\[0\]\.(\w+)' (\S+)\)""")


def blocks(name: str, language: str) -> list[str]:
    """Return the blocks of code of a recipe in a language."""
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def lines(block: str) -> list[str]:
    """Return the lines of a block of shell, of a workflow or of a job that do something, whole and without indents."""
    found = [line.strip().removeprefix("- ").removeprefix("run: ") for line in block.replace("\\\n", "").splitlines()]
    return [line for line in found if re.match(r"tiletree |\w+=\$\(jq ", line)]


def _found(word: str) -> list[str]:
    """Return the files that a word with a star stands for, as a shell does; where there is none, the word."""
    return sorted(map(str, Path().glob(word))) or [word] if "*" in word else [word]


class Shell:
    """Runs lines: calls of `tiletree`, whose output may go to a file, and what `jq` takes out of such a file."""

    def __init__(self, tiletree: Command, variables: dict[str, str] | None = None, log: str = "") -> None:
        self.tiletree = tiletree
        self.variables = dict(variables or {})
        self.ran: list[str] = []
        self._log = log

    def run(self, line: str) -> Done:
        """Run one line. log, if it was given, stands for the bucket in it."""
        if found := _JQ.fullmatch(line):
            self.variables[found[1]] = json.loads(Path(found[3]).read_bytes())["entries"][0][found[2]]
            return Done(0, "", "")
        call, _, target = line.partition(" > ")
        words = [self._filled(word) for word in shlex.split(call)[1:]]
        words = [each for word in words for each in _found(word)]
        done = self.tiletree(*words)
        self.ran.append(words[0])
        if target:
            Path(target).write_text(done.out)
        return done

    def _filled(self, word: str) -> str:
        if self._log:
            word = word.replace("s3://log-example/releases", self._log)
        return re.sub(r"\$(\w+)", lambda match: self.variables[match[1]], word)
