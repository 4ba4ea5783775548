"""How long a verdict takes, and how much is loaded for it."""

from __future__ import annotations

import gzip
import time
from typing import Any

import pytest

from tests.support.browser import Chromium, site
from tests.support.readers import entry, make_log
from tests.support.reference import OTHER_LEAF, Tree
from tests.support.sampling import quickly
from tests.support.signed_text import LOG, ORIGIN, signed
from tests.support.web_logs import FILE, HELLO, PLAIN, POLICY
from tests.support.web_server import PAGE
from tiles.notes.checkpoint import Checkpoint, parse_signed_checkpoint
from tiles.notes.tlog_proof import TlogProof
from tiles.tree.layout import CHECKPOINT, parse_tile_path
from tiles.tree.merkle import leaf_hash
from tiles.tree.proof import build_proof, inclusion_nodes

pytest_plugins = ["tests.support.browser_fixture"]


class Tall(dict[str, bytes]):
    """The objects of a log of any size, made when they are asked for; all entries but one are the same."""

    def __init__(self, size: int, index: int, content: bytes) -> None:
        tree = Tree({index: leaf_hash(content)})
        super().__init__(
            {**PAGE, CHECKPOINT: signed(Checkpoint(ORIGIN, tree.head(size)), LOG).data, "policy.txt": POLICY}
        )
        self.tree, self.special = tree, (index, content)

    def get(self, path: str, default: Any = None) -> Any:
        """Return an object."""
        if not path.startswith("tile/"):
            return super().get(path, default)
        tile = parse_tile_path(path)
        if tile.level >= 0:
            return self.tree.tile(tile)
        entries = [b"every other entry"] * tile.width
        index, content = self.special
        if tile.index == index // 256:
            entries[index % 256] = content
        return b"".join(len(one).to_bytes(2, "big") + one for one in entries)


@pytest.mark.parametrize(("throttle", "limit"), quickly([(1, 0.3), (6, 1.0)], [(1, 0.3)]))
@pytest.mark.slow
def test_time_to_a_verdict(chromium: Chromium, throttle: int, limit: float, record_property: Any) -> None:
    """A log of a million entries: an entry by index, or a proof with its file, is judged in no time."""
    index, size = 654_321, 1_000_000
    objects = Tall(size, index, HELLO)
    hashes = build_proof(
        inclusion_nodes(index, size), lambda node: objects.tree.mth(range(node.index << node.height, node.end))
    )
    proof = TlogProof(index, hashes, parse_signed_checkpoint(objects[CHECKPOINT])).data
    for path in ("tile/0/x002/555", "tile/1/009", "tile/2/000.p/15", "tile/1/015.p/66", "tile/0/x003/906.p/64"):
        objects[path] = objects.get(path)
    assert leaf_hash(b"every other entry") == OTHER_LEAF
    with site(chromium, {}, own=True) as one:
        one.server.objects = objects
        one.open()
        one.ask("0")
        one.said()  # what is loaded when it is first needed is loaded
        one.clear()
        one.context.new_cdp_session(one.page).send("Emulation.setCPUThrottlingRate", {"rate": throttle})
        started = time.monotonic()
        one.ask(str(index))
        assert one.said()[1] == "In the log: entry 654,321 of 1,000,000"
        by_index = time.monotonic() - started
        one.clear()
        started = time.monotonic()
        one.drop(("a.tlog-proof", proof), ("a.txt", FILE))
        assert one.said()[1] == "In the log: entry 654,321 of 1,000,000"
        by_proof = time.monotonic() - started
    print(f"{throttle}× slower: by index {by_index:.3f} s, by proof {by_proof:.3f} s")
    record_property("seconds", (by_index, by_proof))
    assert min(by_index, by_proof) < 3 * limit  # a shared machine is no failure; the figures are printed


@pytest.mark.slow
def test_scanning_in_time(chromium: Chromium) -> None:
    """The largest log that is looked through without asking takes about a second."""
    objects = {**make_log(16_384), "policy.txt": POLICY}
    with site(chromium, objects) as one:
        one.open()
        started = time.monotonic()
        one.drop(("x", entry(16_383)))
        one.said(state="verified-log-only")
        print(f"16,384 entries looked through in {time.monotonic() - started:.3f} s")
        assert time.monotonic() - started < 5


def test_sizes(chromium: Chromium) -> None:
    """The verifier has at most 8 KiB gzipped; what is loaded before anything is asked, at most 20 KiB."""
    modules = [f"verifier/{name}.js" for name in ("sha256", "encoding", "merkle", "tlog", "proof")]
    verifier = gzip.compress(b"".join(PAGE[name] for name in modules), 9, mtime=0)
    assert len(verifier) <= 8 << 10
    with site(chromium, PLAIN, own=True) as one:
        one.open()
        loaded = [path for path in dict.fromkeys(one.server.asked) if path in PAGE]
    total = sum(len(gzip.compress(PAGE[path], 9, mtime=0)) for path in loaded)
    print(f"verifier {len(verifier)} bytes, first load {total} bytes: {loaded}")
    assert total <= 20 << 10
