"""docs/operations.md, as it stands: its blocks of commands, and the restore drill that its table of losses promises."""

from __future__ import annotations

import itertools
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.command_line import ORIGIN, Command, Done

ROOT = Path(__file__).parents[2]
PAGES = {name: (ROOT / "docs" / f"{name}.md").read_text() for name in ("operations", "lost")}
WORDS = {
    "LOG": "log",
    "K": "k",
    "COPY": "copy",
    "NEW": "new",
    "NEW-ORIGIN": "new.example.com",
    "NEW-K": "new.k",
    "ORIGIN": ORIGIN,
    "ANCHOR": "anchors",
    "DST": "there",
    "PRIVATE": "own",
    "URL": "log",
}
PARTS = {"public part": "log", "private part": "log.private", "anchor": "k.anchor", "key": "k"}


def section(page: str, name: str) -> str:
    """Return the text of a section."""
    return PAGES[page].split(f"\n## {name}\n")[1].split("\n## ")[0]


def blocks(text: str) -> list[list[list[str]]]:
    """Return the blocks of commands in a text, each line as its words."""
    found = re.findall(r"(?:^    \S.*\n)+", text, flags=re.MULTILINE)
    return [[shlex.split(line) for line in block.splitlines()] for block in found]


def rows(text: str) -> list[list[str]]:
    """Return the rows of the tables in a text, without their headings."""
    tables = re.findall(r"^\|.*\|\n\|[-|]+\|\n((?:\|.*\|\n)+)", text, flags=re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for table in tables for row in table.splitlines()]


@dataclass
class Operator:
    """Follows the page: runs its lines as they stand, and whatever a message leads to."""

    tiletree: Command
    vkey: str
    done: list[Done] = field(default_factory=list)

    def word(self, word: str) -> str:
        """Return what a word of the page stands for."""
        first, slash, rest = word.partition("/")
        if first == "NEW-VKEY":
            return self.newest()
        words = {**WORDS, "VKEY": self.vkey, "OLD-VKEY": self.vkey}
        return words.get(first, first) + slash + {"K": "k"}.get(rest, rest)

    def newest(self) -> str:
        """Return the vkey of the key that was added last."""
        return self.tiletree("key", "show", "k").out.split()[-1]

    def run(self, line: list[str]) -> Done:
        """Run a line."""
        program, *words = line
        words = [self.word(word) for word in words]
        if program == "cp":
            recursive = "-r" in words
            source, target = (word for word in words if not word.startswith("-"))
            shutil.copytree(source, target) if recursive else shutil.copy(source, target)
        elif program == "mkdir":
            Path(words[-1]).mkdir(exist_ok=True)
        else:
            assert program == "tiletree"
            self.done.append(self.tiletree(*words, stdin=b"y\n"))
            if words[:2] == ["key", "retire"]:
                self.vkey = self.newest()
            return self.done[-1]
        return Done(0, "", "")

    def follow(self, line: list[str]) -> str:
        """Run a line, and do what messages lead to until it does well; return the section where the log ends, or ""."""
        before = ""
        for _ in range(4):
            done = self.run(line)
            if done.code == 0:
                return ""
            for _ in range(4):
                (named,) = set(re.findall(r"docs/lost\.md#([\w-]+)", done.out + done.err))
                (title,) = [each for each in titles("lost") if anchor(each) == named]
                text = section("lost", title)
                if ends(title) or (title == before and "the log ends" in text.replace("\n", " ")):
                    return title
                before = title
                ran = [self.run(each) for block in blocks(text) for each in block if "mirror" not in " ".join(each)]
                failed = [each for each in ran if each.code]
                if not failed:
                    break
                done = failed[-1]
        raise AssertionError(done)


def titles(page: str) -> list[str]:
    """Return the names of the sections of a page."""
    return re.findall(r"^## (.*)$", PAGES[page], flags=re.MULTILINE)


def anchor(title: str) -> str:
    """Return what a link to a section has."""
    return title.lower().replace(" ", "-")


def ends(title: str) -> bool:
    """Whether the section says that the log ends, and begins a new one."""
    return "tiletree init NEW" in section("lost", title) or title == "More was signed than is published"


@pytest.fixture
def operator(tiletree: Command) -> Operator:
    """Return an operator with a log of two entries, and a copy as the page makes it."""
    tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k", "--no-page")
    for name in ("a", "b", "c", "d", "restored"):
        Path(name).write_bytes(name.encode())
    tiletree.ok("add", "log", "a", "b", "--key", "k")
    vkey = tiletree("key", "show", "k").out.strip()
    operator = Operator(tiletree, vkey)
    (making,) = blocks(section("operations", "Making a copy"))
    for line in making:
        assert operator.run(line).code == 0
    return operator


LOSSES = [
    (tuple(lost.split(", ")), copied, outcome)
    for lost, *outcomes in rows(section("operations", "Restoring"))
    for copied, outcome in zip(("newest", "older"), outcomes, strict=True)
]
QUICK = [("public part", "anchor")]


def drills() -> Iterator[object]:
    """Yield what is lost, how many batches the copy lacks, and the outcome that the page promises."""
    for lost, copied, outcome in LOSSES:
        for behind in (0,) if copied == "newest" else (1, 2):
            if behind and "public part" not in lost:
                assert outcome == {(each, kind): what for each, kind, what in LOSSES}[lost, "newest"]
                continue  # the copy is not used
            quick = lost in QUICK and behind == ("public part" in lost)
            yield pytest.param(lost, behind, outcome, marks=() if quick else pytest.mark.slow)


def test_the_table_has_every_loss() -> None:
    """Each part, and each pair of them."""
    pairs = [*((part,) for part in PARTS), *itertools.combinations(PARTS, 2)]
    assert [lost for lost, copied, _ in LOSSES if copied == "newest"] == pairs


@pytest.mark.parametrize(("lost", "behind", "outcome"), list(drills()))
def test_restored(operator: Operator, lost: tuple[str, ...], behind: int, outcome: str) -> None:
    """The page leads to a log that may sign and is whole, or to the section that says that the log ends."""
    for name in ("c", "d")[:behind]:
        operator.tiletree.ok("add", "log", name, "--key", "k")
    for part in lost:
        path = Path(PARTS[part])
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    restore, (ask,), at_last = blocks(section("operations", "Restoring"))
    for line in restore:
        if not Path(operator.word(line[-1])).exists():
            operator.run(line)
    size = operator.tiletree.ok("info", "log", "--vkey", operator.vkey)["size"]
    ended = operator.follow(ask)
    assert ("ends" if ended else "goes on") == outcome, ended
    if not ended:
        assert [operator.run(line).code for line in at_last] == [0, 0]
        assert operator.tiletree.ok("info", "log")["size"] == size + 1
        return
    with_a_new_name = blocks(section("lost", "The key is gone"))[0]
    assert [operator.run(line).code for line in with_a_new_name] == [0, 0]
    assert operator.tiletree.ok("audit", "new")["size"] == size
    assert operator.run(at_last[1]).code in (3, 4)  # and nothing more under the old one


def test_without_a_copy_of_the_key(operator: Operator) -> None:
    """The page says that the log ends, and so it does; its entries go on in a new one."""
    Path("k").unlink()
    (ask,) = blocks(section("operations", "Restoring"))[1]
    assert operator.follow(ask) == "The key is gone"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["What there is", "The key", "Moving a log", "Taking entries down", "Watching it"])
def test_the_other_blocks(operator: Operator, name: str) -> None:
    """Each command of the section does what the page says, in the order of the page."""
    found = blocks(section("operations", name))
    if name == "The key":
        ceremony = [line for block in found[:2] for line in block]
        for path in ("log", "log.private", "k.anchor"):
            shutil.rmtree(path)
        Path("k").unlink()
        assert [operator.run(line).code for line in ceremony] == [0] * len(ceremony)
        operator.vkey = operator.tiletree("key", "show", "k").out.strip()
        found = found[2:]
    lines = [line for block in found for line in block]
    assert [operator.run(line).code for line in lines] == [0] * len(lines), operator.done[-1]
    assert lines


def test_every_block_is_run() -> None:
    """The sections with commands are those that are tested above, each alarm is in the index, and links lead on."""
    tested = {
        "What there is",
        "Making a copy",
        "Restoring",
        "The key",
        "Moving a log",
        "Taking entries down",
        "Watching it",
    }
    assert {title for title in titles("operations") if blocks(section("operations", title))} == tested
    outcomes = (ROOT / "docs" / "outcomes.md").read_text()
    alarms = {row[0].strip("`") for row in rows(outcomes.split("\n## Alarms\n")[1].split("\n## ")[0])}
    said = " ".join(row[0] for row in rows(section("operations", "When something is wrong")))
    assert alarms <= set(re.findall(r"`([\w-]+)`", said))
    for named in re.findall(r"lost\.md#([\w-]+)", PAGES["operations"]):
        assert named in map(anchor, titles("lost"))
