"""docs/scale.md: its commands do what they say, and its table is what the code counts."""

from __future__ import annotations

import random
import re
from hashlib import sha256
from itertools import chain, count
from pathlib import Path

import pytest

from tests.support.command_line import Command
from tests.support.recipes import Shell, lines
from tiles.cost.month import ASSUMED
from tiles.cost.requests import Requests, Setup, add, idle, wanted
from tiles.tree.layout import ENTRIES, TILE_WIDTH, level_size, levels
from tiles.tree.merkle import HASH_SIZE
from tiles.tree.proof import Node, inclusion_nodes

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "scale.md").read_text(encoding="utf-8")
BATCH = 65_536
ENTRY = 202  # bytes, with its length
SIZES = (10**6, 10**8, 10**9, 10**10)
PRICES = ASSUMED["aws"]


def writes(size: int) -> float:
    """Return the writes of so many entries in batches, from a sample of them."""
    setup, some = Setup(once=False, kinds=()), 20
    total = Requests()
    for number in range(some):
        base = max(BATCH, int(size * (number + 0.5) / some) // BATCH * BATCH)
        total += add(setup, base, BATCH) + idle(setup).times(-1)
    return total.put * size / BATCH / some


def most_tiles(size: int) -> int:
    """Return how many tiles the proof of an entry reads at most, from a sample of entries."""
    rng = random.Random(size)
    entries = [rng.randrange(size) for _ in range(60)]
    return max(
        len(wanted(size, [Node(0, index), *chain.from_iterable(inclusion_nodes(index, size))])) for index in entries
    )


def row(size: int) -> str:
    """Return the line of the table."""
    objects = sum(-(-level_size(size, level) // TILE_WIDTH) for level in (ENTRIES, *levels(size)))
    tiles = sum(level_size(size, level) * HASH_SIZE for level in levels(size)) / 1e9
    stored = size * ENTRY / 1e9 + tiles
    puts = writes(size)
    cells = [
        f"{size:,}",
        str(len(levels(size))),
        f"{objects:,}",
        f"{tiles:,.2f} GB",
        f"{stored:,.1f} GB",
        f"{puts / 1000:,.0f} thousand",
        f"{puts / 1000 * PRICES['put-1000']:,.2f}",
        f"{objects / 1000 * PRICES['get-1000']:,.2f}",
        f"{stored * PRICES['gb-month']:,.2f}",
        str(most_tiles(size)),
    ]
    return f"| {' | '.join(cells)} |"


@pytest.mark.parametrize("size", SIZES)
def test_the_table(size: int) -> None:
    """Each line of the table is computed again."""
    assert row(size) in TEXT.splitlines()


def test_several_logs_under_one_policy(tiletree: Command) -> None:
    """A file of one of two logs is proven, and verified, by the policy that names both."""
    shell_lines = [
        line for block in re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL) for line in lines(block)
    ]
    (policy,) = re.findall(r"^```policy\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    wheel = Path("app-1.0.whl")
    for number in count():  # until its digest is one that the text speaks of
        wheel.write_bytes(b"%d" % number)
        if shard_of(wheel) == 1:
            break
    shell = Shell(tiletree)
    for line in shell_lines:
        if "policy.txt" in line and not Path("policy.txt").exists():
            for shard in (0, 1):
                vkey = tiletree.ok("key", "show", f"shard-{shard}.key")["vkey"]
                policy = policy.replace(f"VKEY-OF-{shard}", vkey)
            Path("policy.txt").write_text(policy)
        assert shell.run(line).code == 0, line
    assert shell.ran == ["init", "init", "add", "prove", "verify", "audit", "audit"]


def shard_of(path: Path) -> int:
    """Return which of two logs the text chooses for a file."""
    return sha256(path.read_bytes()).digest()[0] % 2
