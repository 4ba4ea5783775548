"""Issuers of a log of certificates, which a mirror has before it publishes a tree whose entries refer to them."""

from __future__ import annotations

from hashlib import sha256

import pytest

from tests.support.faults import Faults
from tests.support.mirrors import contents, holding
from tests.support.other_logs import CT_ISSUER
from tests.support.other_mirrors import KINDS, mirror_of
from tests.support.readers import Objects
from tiles.errors import LogError, NotFound, TileError
from tiles.records.paths import issuer_path
from tiles.store.memory import MemoryStore
from tiles.tree.layout import CHECKPOINT
from tiles.watch import mirror_issuers

CT = KINDS["static-ct"]
ISSUER = issuer_path(sha256(CT_ISSUER).digest())


def test_each_is_read_once() -> None:
    """An issuer that many entries name is read once, and not at all where the mirror has it."""
    reading, store = Objects(CT.make(300)), MemoryStore("mirror")
    assert mirror_of(CT, reading, store).issuers == 1
    assert reading.asked.count(ISSUER) == 1
    reading = Objects(CT.make(301))
    assert mirror_of(CT, reading, store).issuers == 0
    assert ISSUER not in reading.asked


def test_a_missing_one() -> None:
    """Without it nothing is published; whoever has it can put it there, by its name, and the mirror goes on."""
    log, store = CT.make(300), MemoryStore("mirror")
    without = {path: data for path, data in log.items() if path != ISSUER}
    with pytest.raises(NotFound, match=ISSUER) as raised:
        mirror_of(CT, without, store)
    assert f"memory://mirror/{ISSUER}" in raised.value.hint
    assert CHECKPOINT not in contents(store)
    store.create({ISSUER: CT_ISSUER})
    mirror_of(CT, without, store)
    assert contents(store) == CT.tree_of(300)


def test_a_wrong_one() -> None:
    """What has not the SHA-256 of its name is not copied, and not overwritten where it is."""
    with pytest.raises(LogError, match=f"{ISSUER} is no certificate"):
        mirror_of(CT, {**CT.make(300), ISSUER: b"another"}, store := MemoryStore("mirror"))
    assert ISSUER not in contents(store)
    there = holding({ISSUER: b"another"})
    with pytest.raises(TileError, match=f"memory://mirror/{ISSUER}.*another content"):
        mirror_of(CT, CT.make(300), there)
    assert contents(there)[ISSUER] == b"another"
    assert CHECKPOINT not in contents(there)


def test_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nothing stands for can make a mirror copy so much, and no more."""
    monkeypatch.setattr(mirror_issuers, "MAX_ISSUERS", 0)
    with pytest.raises(LogError, match=r"tile/data/000 names more issuers than"):
        mirror_of(CT, CT.make(300), MemoryStore("mirror"))


def test_order() -> None:
    """An issuer lasts before the checkpoint is swapped."""
    faults = Faults()
    mirror_of(CT, CT.make(300), faults.wrap(MemoryStore("mirror"), "mirror"))
    done = [what for what, _ in faults.done]
    swapped, created = done.index(f"mirror swap {CHECKPOINT}"), done.index(f"mirror create {ISSUER}")
    assert "mirror barrier" in done[created:swapped]
